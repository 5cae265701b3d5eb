// As in overlays.py, whose constants these are.
const POINTS = 16, BLUR = 0.5, COLOR = [213, 94, 0], OPACITY = 0.85;
const SIDE = 20, SMALL = 200; // em of a picture's longer side; pixels up to which they are seen

function blur(cells) {
  return Array.from({ length: cells * POINTS }, (_, n) => {
    const shares = Array.from({ length: cells }, (_, cell) =>
      Math.exp(-((((n + 0.5) / POINTS - cell - 0.5) / BLUR) ** 2) / 2));
    const sum = shares.reduce((total, share) => total + share, 0);
    return shares.map((share) => share / sum);
  });
}

function mean(shares, values) {
  return shares.reduce((sum, share, n) => sum + share * values[n], 0);
}

function paint(canvas, weights, [rows, columns]) {
  [canvas.width, canvas.height] = [columns * POINTS, rows * POINTS];
  const across = blur(columns);
  const lines = Array.from({ length: rows }, (_, row) =>
    across.map((shares) => mean(shares, weights.slice(row * columns))));
  const values = blur(rows).flatMap((shares) =>
    across.map((_, x) => mean(shares, lines.map((line) => line[x]))));
  const most = values.reduce((one, other) => Math.max(one, other), 0) || 1;
  const image = new ImageData(canvas.width, canvas.height);
  values.forEach((value, n) => image.data.set([...COLOR, 255 * OPACITY * value / most], 4 * n));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function show(sentence, number) {
  const figure = make("figure", make("section", document.getElementById("sentences")));
  const picture = make("div", figure), image = make("img", picture);
  const [height, width] = sentence.size, longer = Math.max(height, width);
  picture.className = longer > SMALL ? "picture" : "picture small";
  picture.style.width = `${SIDE * width / longer}em`;
  image.src = sentence.picture;
  image.alt = `Picture ${number + 1}`;
  const canvas = make("canvas", picture);
  const line = make("figcaption", figure);
  line.dir = "auto"; // from right to left if its first letter is
  let words = [], pointed = null, chosen = null; // numbers of words

  function refresh() {
    const { weights, grid, boxes } = sentence.methods[methods.value];
    const word = pointed ?? chosen;
    words.forEach((element, n) => element.ariaCurrent = n === chosen);
    picture.querySelectorAll("i").forEach((box) => box.remove());
    picture.classList.toggle("attended", word !== null);
    canvas.hidden = word === null;
    if (word === null) return;
    paint(canvas, weights[word], grid);
    for (const [left, top, right, bottom] of boxes[word]) {
      Object.assign(make("i", picture).style, {
        left: `${100 * left / width}%`, width: `${100 * (right - left) / width}%`,
        top: `${100 * top / height}%`, height: `${100 * (bottom - top) / height}%`,
      });
    }
  }

  function write() {
    line.replaceChildren();
    words = sentence.methods[methods.value].words.map((word, n) => {
      const element = make("span", line, word);
      line.append(" "); // where the line may break
      element.tabIndex = 0;
      element.addEventListener("mouseenter", () => { pointed = n; refresh(); });
      element.addEventListener("mouseleave", () => { pointed = null; refresh(); });
      element.addEventListener("focus", () => { chosen = n; refresh(); });
      return element;
    });
    pointed = null;
    if (chosen >= words.length) chosen = null;
    refresh();
  }

  function clear() {
    pointed = chosen = null;
    refresh();
  }

  picture.addEventListener("click", clear);
  figure.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
  methods.addEventListener("change", write);
  write();
}

sentences.forEach(show);
