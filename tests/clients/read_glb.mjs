// What gltf-transform reads in a GLB, as JSON: node read_glb.mjs FILE.
import { NodeIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { MeshoptDecoder } from 'meshoptimizer';
await MeshoptDecoder.ready;
const io = new NodeIO().registerExtensions(ALL_EXTENSIONS).registerDependencies({ 'meshopt.decoder': MeshoptDecoder });
const document = await io.read(process.argv[2]);
const root = document.getRoot();
const node = root.listNodes().find((each) => each.getMesh());
const [primitive] = node.getMesh().listPrimitives();
const position = primitive.getAttribute('POSITION');
const matrix = node.getWorldMatrix();
const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
let area = 0;
const place = (index) => {
  const p = position.getElement(index, []);
  return [0, 1, 2].map((r) => matrix[r] * p[0] + matrix[4 + r] * p[1] + matrix[8 + r] * p[2] + matrix[12 + r]);
};
const corners = primitive.getIndices().getArray();
for (let i = 0; i < corners.length; i += 3) {
  const [a, b, c] = [0, 1, 2].map((k) => place(corners[i + k]));
  for (const p of [a, b, c]) p.forEach((v, k) => { low[k] = Math.min(low[k], v); high[k] = Math.max(high[k], v); });
  const u = b.map((v, k) => v - a[k]), w = c.map((v, k) => v - a[k]);
  area += Math.hypot(u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]) / 2;
}
console.log(JSON.stringify({
  faces: corners.length / 3, low, high, area,
  textures: root.listTextures().map((each) => [each.getMimeType(), ...each.getSize()]),
  extensions: root.listExtensionsUsed().map((each) => each.extensionName),
}));
