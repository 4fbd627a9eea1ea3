import type { z } from 'zod';
import type { AccountView } from '../../../api/routes/accounts.ts';
import type { BackupsView } from '../../../api/routes/backups.ts';
import type { CertificatesView } from '../../../api/routes/certificates.ts';
import type { SettingsView, SettingView } from '../../../api/routes/settings.ts';

export type Account = z.output<typeof AccountView>;
export type Settings = z.output<typeof SettingsView>;
export type Setting = z.output<typeof SettingView>;
export type Section = Settings['sections'][number];
export type SectionKey = Section['key'];
export type Bound = Section['bounds'][string];
/** A value as it is written in the file, while somebody edits it. */
export type Draft = Record<string, unknown>;
export type Backups = z.output<typeof BackupsView>;
export type Certificates = z.output<typeof CertificatesView>;
