import type { z } from 'zod';
import type { OrderPage as OrderPageSchema } from '../../../api/routes/upstream.ts';

export type OrderPage = z.output<typeof OrderPageSchema>;
export type CentreOrder = OrderPage['orders'][number];
