"use strict";
const sentences = JSON.parse(document.getElementById("data").textContent);
const methods = document.getElementById("method");

function make(name, parent, text) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

for (const name of Object.keys(sentences[0].methods)) make("option", methods, name).value = name;

