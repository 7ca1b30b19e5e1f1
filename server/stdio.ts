import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { optionsHere } from './here.ts';
import { startServer } from './server.ts';

/**
 * Serves one client over standard input and output. What any library prints goes to stderr: stdout
 * belongs to the protocol.
 * @param dist the folder of the bundles.
 */
export function serveStdio(dist: URL): void {
  const write = process.stdout.write.bind(process.stdout);
  const out = Object.create(process.stdout, { write: { value: write } });
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  // Of the streams themselves the end is noticed: the server does not outlive its editor.
  const connection = createConnection(ProposedFeatures.all, process.stdin, out);
  startServer(connection, optionsHere(dist));
}
