// Broadcasts with the ws library. Prints "ws ADDRESS control ADDRESS" and then
// sends every line that it reads on the control port to every client.
'use strict';
const net = require('net');
const { WebSocketServer } = require('ws');

const heartbeat = 25000;

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
wss.on('connection', (ws) => {
  ws.alive = true;
  ws.on('pong', () => { ws.alive = true; });
  ws.on('error', () => {});
  ws.send('{"type":"welcome"}');
});

setInterval(() => {
  for (const ws of wss.clients) {
    if (!ws.alive) { ws.terminate(); continue; }
    ws.alive = false;
    ws.ping();
  }
}, heartbeat);

const control = net.createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    let begin = 0;
    for (let end; (end = rest.indexOf(10, begin)) >= 0; begin = end + 1) {
      const line = rest.subarray(begin, end);
      for (const ws of wss.clients) ws.send(line, { binary: false });
    }
    rest = rest.subarray(begin);
  });
  socket.on('error', () => {});
});

wss.on('listening', () => control.listen(0, '127.0.0.1', () => {
  console.log(`ws 127.0.0.1:${wss.address().port} control 127.0.0.1:${control.address().port}`);
}));
