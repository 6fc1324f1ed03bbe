// A client of events with Node's own fetch: node events.mjs URL. It says what
// happens to it in lines of JSON on standard output.
const tell = (event) => console.log(JSON.stringify(event));
const answer = await fetch(process.argv[2]);
tell({ event: 'open', code: answer.status, text: answer.headers.get('content-type') });

let text = '';
try {
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const fields = Object.fromEntries(text.slice(0, end).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
      if (fields.event) tell({ event: fields.event, text: fields.data, id: fields.id });
    }
  }
  tell({ event: 'end', text });
} catch (error) {
  tell({ event: 'error', text: String(error) });
}
