import type { z } from 'zod';
import type { DoorRecordView, DoorRecordPage as PageSchema } from '../../../api/routes/door-records.ts';

export type DoorRecord = z.output<typeof DoorRecordView>;
export type DoorRecordPage = z.output<typeof PageSchema>;
