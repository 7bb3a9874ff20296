import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vite";

const DOCS = new URL("../docs/", import.meta.url);

/** The project's pages beside the built page, as text that any host and any browser shows. */
function docs() {
  return {
    name: "docs",
    generateBundle() {
      for (const name of readdirSync(DOCS).filter((name) => name.endsWith(".md"))) {
        const source = readFileSync(new URL(name, DOCS), "utf8");
        this.emitFile({ type: "asset", fileName: `docs/${name.replace(/md$/, "txt")}`, source });
      }
    },
  };
}

export default defineConfig({
  base: "./", // the built folder works wherever it is put
  plugins: [docs()],
  build: { chunkSizeWarningLimit: 1000 },
  worker: { format: "es" },
});
