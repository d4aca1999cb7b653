/* Places for a graph's nodes: a column for each step away from the inputs, and in it an order with few
   crossings. An edge that leaps a column has a place of its own in it. */

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/* One to the right of the last parent; inputs just left of their first user. */
function columnsOf(nodes, parentsOf) {
  const column = new Map();
  for (const node of nodes) column.set(node, 1 + Math.max(-1, ...parentsOf(node).map((parent) => column.get(parent))));
  for (const node of nodes.filter((one) => !parentsOf(one).length)) {
    const users = nodes.filter((user) => parentsOf(user).includes(node));
    if (users.length) column.set(node, Math.min(...users.map((user) => column.get(user))) - 1);
  }
  return column;
}

/* For nodes with parents before users: `places`, a map from each to its [column, row], the rows of a column
   at least 1 apart, and `way(parent, user)`, the places that an edge goes through, from one to the other. */
export function layered(nodes, parentsOf) {
  const column = columnsOf(nodes, parentsOf), ways = new Map(), before = new Map(), after = new Map();
  const columns = [];
  const enter = (point, k) => { (columns[k] ??= []).push(point); before.set(point, []); after.set(point, []); };
  nodes.forEach((node) => enter(node, column.get(node)));
  for (const user of nodes) for (const parent of new Set(parentsOf(user))) {
    const way = [parent];
    for (let k = column.get(parent) + 1; k < column.get(user); k++) {
      way.push({});
      enter(way.at(-1), k);
    }
    way.push(user);
    way.slice(1).forEach((point, i) => { before.get(point).push(way[i]); after.get(way[i]).push(point); });
    ways.set(user, (ways.get(user) ?? new Map()).set(parent, way));
  }

  const row = new Map();
  const pull = (point, ...sides) => mean(sides.flatMap((side) => side.get(point)).map((other) => row.get(other)).concat(row.get(point)));
  const inTurn = (turn) => (turn % 2 ? [...columns].reverse() : columns);
  for (const points of columns) points.forEach((point, i) => row.set(point, i - (points.length - 1) / 2));
  for (let turn = 0; turn < 12; turn++) for (const points of inTurn(turn)) order(points, (point) => pull(point, turn % 2 ? after : before));
  for (let turn = 0; turn < 12; turn++) for (const points of inTurn(turn)) settle(points, (point) => pull(point, before, after));

  /* Sort a column by what its points are drawn to. */
  function order(points, wish) {
    const wishes = new Map(points.map((point) => [point, wish(point)]));
    points.sort((one, other) => wishes.get(one) - wishes.get(other)).forEach((point, i) => row.set(point, i - (points.length - 1) / 2));
  }

  /* Move a column's points to where they are drawn, in their order and no closer than 1. */
  function settle(points, wish) {
    const wishes = points.map(wish), placed = [];
    wishes.forEach((wished, i) => placed.push(i ? Math.max(wished, placed[i - 1] + 1) : wished));
    const shift = mean(wishes) - mean(placed);
    points.forEach((point, i) => row.set(point, placed[i] + shift));
  }

  const places = new Map(columns.flatMap((points, k) => points.map((point) => [point, [k, row.get(point)]])));
  return { places, way: (parent, user) => ways.get(user).get(parent).map((point) => places.get(point)) };
}
