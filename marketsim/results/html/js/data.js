// The packed parts of a page: see packing.py for how they are made.

const ARRAYS = { f4: Float32Array, f8: Float64Array, i2: Int16Array, i4: Int32Array, u1: Uint8Array };
const EIGHT = 8; // bytes, which the largest numbers are aligned to

// The facts of a packed text, and its arrays by name, each with its `shape`.
export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const content = await new Response(stream).arrayBuffer();
  const length = new DataView(content).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, length)));
  const start = Math.ceil((4 + length) / EIGHT) * EIGHT;
  const arrays = {};
  for (const [name, { type, shape, offset }] of Object.entries(header.arrays)) {
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = Object.assign(new ARRAYS[type](content, start + offset, count), { shape });
  }
  return { facts: header.facts, arrays };
}

// Row `i` of an array of at least two dimensions, itself an array with a shape.
export function row(array, i) {
  const [, ...shape] = array.shape;
  const size = shape.reduce((product, each) => product * each, 1);
  return Object.assign(array.subarray(i * size, (i + 1) * size), { shape });
}

// UTC seconds of a bar's name, which is a date or a date and a time.
export function seconds(name) {
  return Date.parse(name.includes("T") ? (/[Z+]/.test(name) ? name : `${name}Z`) : `${name}T00:00:00Z`) / 1000;
}
