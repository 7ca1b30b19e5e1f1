// The language server as VS Code starts it: over Node's IPC, or over what its arguments name.

import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { optionsHere } from './here.ts';
import { startServer } from './server.ts';

// The server does not outlive its editor.
process.once('disconnect', () => process.exit(1));
startServer(createConnection(ProposedFeatures.all), optionsHere(new URL('./', import.meta.url)));
