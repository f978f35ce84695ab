// Asks the embedded ClickHouse with ClickHouse's client for Node.js, and prints what it got as one
// JSON object. Arguments: URL, user, password, database.
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";

const [url, username, password, database] = process.argv.slice(2);
// Numbers of JSON are doubles here: larger integers come as strings
const options = {
  url,
  username,
  password,
  database,
  clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  log: { level: ClickHouseLogLevel.OFF },
};
const client = createClient(options);
const zipped = createClient({ ...options, compression: { request: true, response: true } });
const said = {};

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error.code ?? error.name;
  }
  return null;
}

async function copy(from, format) {
  const rows = await from.query({ query: "SELECT * FROM kinds ORDER BY id", format });
  const values = format === "JSONEachRow" ? await rows.json() : rows.stream();
  await from.insert({ table: "copied", values, format });
  return values.length ?? null;
}

said.ping = (await client.ping()).success;
said.copied = await copy(client, "JSONEachRow");
said["copied zipped"] = await copy(zipped, "JSONEachRow");

const columns = "id, big, huge, maybe_big, moment, low, maybe_low, texts, pairs";
const some = await client.query({ query: `SELECT ${columns} FROM kinds ORDER BY id`, format: "JSON" });
said.types = (await some.json()).data;

const parameters = {
  query: "SELECT {big:UInt64} AS big, {text:String} AS text, {texts:Array(String)} AS texts, queryID() AS id",
  query_params: { big: "18446744073709551615", text: "it's \\ a\ttab", texts: ["a", "it's"] },
  query_id: "node's id",
  format: "JSONEachRow",
};
said.parameters = await (await client.query(parameters)).json();

said.error = await failure(client.query({ query: "SELECT nosuch FROM kinds" }));
const late = await client.query({
  query: "SELECT throwIf(number = 290000) FROM numbers(300000)",
  format: "JSONEachRow",
});
said["late error"] = (await failure(late.json())) !== null;

let count = 0;
let sum = 0;
const large = await client.query({
  query: "SELECT number FROM numbers(300000)",
  format: "JSONCompactEachRow",
});
for await (const rows of large.stream()) {
  for (const row of rows) {
    count += 1;
    sum += Number(row.json()[0]);
  }
}
said.streamed = [count, sum];

const left = await client.query({
  query: "SELECT number, repeat('x', 1000) FROM numbers(1000000000)",
  query_id: "left by node",
  format: "JSONCompactEachRow",
});
for await (const rows of left.stream()) {
  said["left after rows"] = rows.length > 0;
  break;
}
left.close();

const sleeping = "SELECT sum(sleepEachRow(0.1)) FROM numbers(3000) SETTINGS max_block_size = 1";
const controller = new AbortController();
const aborted = client.query({
  query: sleeping,
  query_id: "aborted by node",
  abort_signal: controller.signal,
});
const isListed = async () => {
  const rows = await client.query({
    query: "SELECT count() AS n FROM system.processes WHERE query_id = 'aborted by node'",
    format: "JSONEachRow",
  });
  return Number((await rows.json())[0].n) === 1;
};
const ended = failure(aborted);
while (!(await isListed())) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
controller.abort();
said.aborted = (await ended) !== null;

const killed = failure(client.query({ query: sleeping, query_id: "killed by node" }));
for (;;) {
  const rows = await client.query({
    query: "KILL QUERY WHERE query_id = 'killed by node' SYNC",
    format: "JSON",
  });
  if ((await rows.json()).data.length === 1) {
    break;
  }
}
said.killed = await killed;
said.max_execution_time = await failure(
  client.query({ query: sleeping, clickhouse_settings: { max_execution_time: 1 } }),
);

await client.close();
await zipped.close();
console.log(JSON.stringify(said));
