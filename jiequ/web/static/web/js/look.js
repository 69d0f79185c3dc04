// What a photo looks like in 64 bits (dHash, as core/decode.py counts it): so that the photo itself is sent only once.
const ACROSS = 9, DOWN = 8, EACH = 16;

/** 16 hexadecimal digits for a decoded picture: which of two neighbours in a row of nine grey squares is darker. */
export function lookOf(bitmap) {
  const canvas = Object.assign(document.createElement("canvas"), { width: ACROSS * EACH, height: DOWN * EACH });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const grey = squares(pen.getImageData(0, 0, canvas.width, canvas.height).data);
  let bits = 0n;
  for (let place = 0; place < 64; place += 1) {
    const at = ACROSS * (place >> 3) + (place & 7);
    if (grey[at] < grey[at + 1]) bits |= 1n << BigInt(place);
  }
  return bits.toString(16).padStart(16, "0");
}

/** The mean grey of each square, row by row. */
function squares(pixels) {
  const sums = new Array(ACROSS * DOWN).fill(0);
  for (let y = 0; y < DOWN * EACH; y += 1) {
    for (let x = 0; x < ACROSS * EACH; x += 1) {
      const at = 4 * (y * ACROSS * EACH + x);
      sums[ACROSS * Math.floor(y / EACH) + Math.floor(x / EACH)] += 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    }
  }
  return sums.map((sum) => Math.round(sum / EACH / EACH));
}
