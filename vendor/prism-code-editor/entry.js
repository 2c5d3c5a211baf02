// What book/static/workbench.js uses of prism-code-editor, as one script.
import { createEditor } from "prism-code-editor";
import { defaultCommands, editHistory, setIgnoreTab } from "prism-code-editor/commands";
import "prism-code-editor/prism/languages/python";
import "prism-code-editor/languages/python";
globalThis.PrismEditor = { createEditor, defaultCommands, editHistory, setIgnoreTab };
