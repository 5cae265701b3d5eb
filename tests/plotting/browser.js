// As much of a browser as the page needs: node browser.js DATA SCRIPT prints what a reader sees.
"use strict";
const fs = require("fs");
const [data, script] = process.argv.slice(2).map((path) => fs.readFileSync(path, "utf8"));

class Element {
  constructor(name) {
    Object.assign(this, { name, children: [], style: {}, listeners: {}, textContent: "" });
  }
  appendChild(child) {
    this.children.push(child);
    // A list of choices starts with its first.
    if (this.name === "select" && this.children.length === 1) {
      Object.defineProperty(child, "value", {
        set: (text) => { this.value = text; child.text = text; }, get: () => child.text,
      });
    }
    return child;
  }
  addEventListener(event, listener) {
    (this.listeners[event] ??= []).push(listener);
  }
  dispatch(event) {
    for (const listener of this.listeners[event] ?? []) listener();
  }
}

const byId = { data: new Element("script"), method: new Element("select"), sentences: new Element("main") };
byId.data.textContent = data;
globalThis.document = {
  getElementById: (id) => byId[id],
  createElement: (name) => new Element(name),
};
new Function(script)();

const lines = byId.sentences.children.map((section) => section.children.map((line) => line.children));
const alpha = (word) => {
  const colour = word.style.backgroundColor;
  return colour ? Number(colour.match(/, ([0-9.e-]+)\)$/)[1]) : null;
};
const point = (word, event) => word.dispatch(event);
const [[source, target], [otherSource]] = lines;
const seen = {
  words: lines.map((sides) => sides.map((words) => words.map((word) => word.textContent))),
  options: byId.method.children.map((option) => option.value),
};
point(target[1], "mouseenter");
seen["target word"] = source.map(alpha);
seen["other sentence"] = otherSource.map(alpha);
point(target[1], "mouseleave");
seen.left = source.map(alpha);
point(source[0], "mouseenter");
seen["source word"] = target.map(alpha);
point(source[0], "mouseleave");
point(target[0], "focus");
seen["focused word"] = source.map(alpha);
byId.method.value = "saliency";
byId.method.dispatch("change");
seen["other method"] = source.map(alpha);
console.log(JSON.stringify(seen));
