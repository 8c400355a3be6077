// usage: node client.mjs URL
// Goes through what the API has for notes, by types that openapi-typescript has written into api.d.mts; prints what it got.
import createClient from "openapi-fetch";
import type { paths } from "./api.d.mts";

declare const process: { argv: string[] };
const { GET, POST, PATCH, DELETE } = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

// found: what was asked for, or an exception with the problem document.
function found<T, P extends { title: string }>(answer: { data?: T; error?: P }): T {
  if (answer.data === undefined) throw new Error(answer.error?.title);
  return answer.data;
}

const answer = await POST("/api/notes", { body: { title: "by TypeScript" } });
const id: number = found(answer).id;
const path = { note_id: id };
const first = found(await GET("/api/notes", { params: { query: { limit: 1 } } })).items[0];
const shown = found(await GET("/api/notes/{note_id}", { params: { path } }));
const header = { "If-Match": answer.response.headers.get("ETag") ?? "" };
const changed = found(await PATCH("/api/notes/{note_id}", { params: { path, header }, body: { body: "changed" } }));
const again = await PATCH("/api/notes/{note_id}", { params: { path, header }, body: { body: "lost" } });
const refused: string | undefined = again.error?.title;
await DELETE("/api/notes/{note_id}", { params: { path } });
const gone = (await GET("/api/notes/{note_id}", { params: { path } })).response.status;
const title: string = shown.title.toUpperCase();
console.log(JSON.stringify([first?.id === id, title, changed.body, refused, gone]));
