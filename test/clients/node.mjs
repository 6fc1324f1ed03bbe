// A client with Node's ws: node node.mjs URL. It sends each line of standard
// input, and says what happens to it in lines of JSON on standard output.
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const tell = (event) => console.log(JSON.stringify(event));
const socket = new WebSocket(process.argv[2]);

socket.on('open', () => tell({ event: 'open', extensions: socket.extensions }));
socket.on('message', (data, binary) => tell({ event: binary ? 'binary' : 'message', text: String(data) }));
socket.on('error', (error) => tell({ event: 'error', text: String(error) }));
socket.on('close', (code, reason) => {
  tell({ event: 'close', code, reason: String(reason) });
  process.exit();
});
createInterface({ input: process.stdin }).on('line', (line) => socket.send(line));
