import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import Database from 'better-sqlite3';
import mqtt from 'mqtt';

/**
 * The least that keeps what it acknowledges: a bare aedes whose authorise hook lets a message on when its one row is on
 * the disk, all of one turn of the event loop in one commit. Nothing is read, checked, chained, raised or shown.
 * Arguments: port, database, port of the centre that gets every message at QoS 1 once it is stored (optional).
 */
const [port, file, centre] = process.argv.slice(2);
const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec('CREATE TABLE messages (n INTEGER PRIMARY KEY, topic TEXT, payload BLOB)');
const insert = db.prepare('INSERT INTO messages (topic, payload) VALUES (?, ?)');
const store = db.transaction((messages) => {
  for (const { packet } of messages) insert.run(packet.topic, packet.payload);
});
const upstream = centre === undefined ? null : await mqtt.connectAsync(`mqtt://127.0.0.1:${centre}`);

let gathered = [];
function commit() {
  const messages = gathered;
  gathered = [];
  store(messages);
  for (const { packet, done } of messages) {
    done(null);
    upstream?.publish(packet.topic, packet.payload, { qos: 1 });
  }
}

const broker = await Aedes.createBroker({
  authorizePublish(_client, packet, done) {
    if (gathered.length === 0) setImmediate(commit);
    gathered.push({ packet, done });
  },
});
createServer((socket) => {
  socket.setNoDelay(true);
  broker.handle(socket);
}).listen(Number(port), '127.0.0.1');
