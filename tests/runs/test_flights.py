from runs.flights import Waiting


def test_that_all_is_given_out_is_known_with_the_last_task():
    assert Waiting(divmod, []).over
    waiting = Waiting(divmod, ((number, 2) for number in range(2)))
    flights = []
    while not waiting.over:
        flights.append(waiting.next())
    assert [flight.index for flight in flights] == [0, 1]
    waiting.again(flights[0])
    assert not waiting.over
    assert waiting.next() is flights[0] and waiting.over
