// dependency-cruiser's rules, made of the table of rooms: one way, no circles, packages by room
import { rooms } from "./rooms.mjs";

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
/** Modules of a room: a folder of src/, or a single file. */
const within = (name) => `^src/${escaped(name)}(/|\\.ts$)`;

const byRoom = Object.entries(rooms).flatMap(([name, { imports, packages }]) => {
  const mayUseNode = packages.includes("node:");
  const named = packages.filter((one) => one !== "node:").map((one) => `node_modules/${escaped(one)}`);
  return [
    {
      name: `${name}: rooms`,
      comment: `src/${name} imports only ${imports.length === 0 ? "itself" : imports.join(", ")}`,
      severity: "error",
      from: { path: within(name) },
      to: { path: "^src/", pathNot: [within(name), ...imports.map(within)] },
    },
    {
      name: `${name}: packages`,
      comment: `src/${name} uses only ${packages.length === 0 ? "no package, nor Node's own modules" : packages.join(", ")}`,
      severity: "error",
      from: { path: within(name) },
      to: { pathNot: ["^src/", ...named], dependencyTypesNot: mayUseNode ? ["core"] : [] },
    },
  ];
});

export default {
  forbidden: [
    {
      name: "no circle",
      comment: "not even of types: what two modules share stands in a third",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "a room in the table",
      comment: "scripts/imports/rooms.mjs names every room and what it may import",
      severity: "error",
      from: { path: "^src/", pathNot: Object.keys(rooms).map(within) },
      to: {},
    },
    {
      name: "found",
      comment: "an import that leads nowhere",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    ...byRoom,
  ],
  options: {
    // imports of types count
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
