export const SIDE = 64; // pixels of a frame
