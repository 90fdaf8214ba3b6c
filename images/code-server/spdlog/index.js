// The editor's log files, in place of a module that would have to be compiled. It has what the editor uses of that one.
// Levels: 0 trace, 1 debug, 2 info, 3 warning, 4 error, 5 critical, 6 off.
const path = require("path");
const { createStream } = require("rotating-file-stream");

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"];

class Logger {
  constructor(_kind, _name, file, size, count) {
    const base = path.basename(file);
    const named = (number) => (number ? `${base}.${number}` : base);
    this.level = 2;
    this.plain = false;
    this.stream = createStream(named, { path: path.dirname(file), size: `${Math.ceil(size)}B`, rotate: count });
    this.stream.on("error", () => {}); // a full disk ends a log, not the editor
  }

  write(level, message) {
    if (level < this.level || !this.stream) return;
    this.stream.write(this.plain ? message : `${now()} [${LEVELS[level]}] ${message}\n`);
  }

  getLevel() {
    return this.level;
  }

  setLevel(level) {
    this.level = level;
  }

  setPattern() {
    this.plain = false;
  }

  clearFormatters() {
    this.plain = true;
  }

  flush() {}

  drop() {
    this.stream?.end();
    this.stream = undefined;
  }

  trace(message) {
    this.write(0, message);
  }

  debug(message) {
    this.write(1, message);
  }

  info(message) {
    this.write(2, message);
  }

  warn(message) {
    this.write(3, message);
  }

  error(message) {
    this.write(4, message);
  }

  critical(message) {
    this.write(5, message);
  }
}

function now() {
  return new Date().toISOString().replace("T", " ").replace("Z", "");
}

exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = async (...how) => new Logger("rotating", ...how);
exports.createAsyncRotatingLogger = async (...how) => new Logger("rotating_async", ...how);
