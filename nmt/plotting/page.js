function shade(element, weight) {
  element.style.backgroundColor = weight === null ? "" : `rgba(213, 94, 0, ${weight})`;
  element.title = weight === null ? "" : weight.toFixed(2);
}

function show(sentence) {
  const section = make("section", document.getElementById("sentences"));
  const sides = ["source", "target"].map((side) => {
    const line = make("p", section);
    line.dir = "auto"; // from right to left if its first letter is
    return sentence[side].map((word) => {
      const element = make("span", line, word);
      line.append(" "); // where the line may break
      return element;
    });
  });
  let pointed = null; // [side, word] that the reader looks at

  function refresh() {
    const weights = sentence.methods[methods.value];
    sides.forEach((words, side) => words.forEach((word, n) => {
      const other = pointed !== null && pointed[0] !== side;
      shade(word, !other ? null : side === 0 ? weights[pointed[1]][n] : weights[n][pointed[1]]);
    }));
  }

  sides.forEach((words, side) => words.forEach((word, n) => {
    word.tabIndex = 0;
    for (const event of ["mouseenter", "focus"]) {
      word.addEventListener(event, () => { pointed = [side, n]; refresh(); });
    }
    for (const event of ["mouseleave", "blur"]) {
      word.addEventListener(event, () => { pointed = null; refresh(); });
    }
  }));
  methods.addEventListener("change", refresh);
}

sentences.forEach(show);
