import type { Command } from 'commander';
import { addBackup, addRestore } from './backup.ts';
import { addCa } from './ca.ts';
import { addCameras } from './cameras.ts';
import { addCheck } from './check.ts';
import { addDemo } from './demo.ts';
import { addDetect } from './detect.ts';
import { addEnrol } from './enrol.ts';
import { addFaces } from './faces.ts';
import { addGateway, addUp } from './gateway.ts';
import { addJournal } from './journal.ts';
import { addModels } from './models.ts';
import { addPassword } from './password.ts';
import { addProfile } from './profile.ts';
import { addReplay } from './replay.ts';
import { addSimulate } from './simulate.ts';
import { addSupportBundle } from './support-bundle.ts';
import { addVerify } from './verify.ts';
import { addVersion } from './version.ts';
import { addVision } from './vision.ts';

/** Every command of `quanwei`, in the order the help shows them. */
export const COMMANDS: readonly ((program: Command) => void)[] = [
  addDemo,
  addUp,
  addGateway,
  addVision,
  addCheck,
  addCameras,
  addJournal,
  addVerify,
  addBackup,
  addRestore,
  addPassword,
  addProfile,
  addModels,
  addDetect,
  addFaces,
  addEnrol,
  addCa,
  addReplay,
  addSimulate,
  addSupportBundle,
  addVersion,
];
