import { day } from './flows/day.ts';
import { isPhone, LOOKS } from './flows/visitor.ts';

day(LOOKS.filter((look) => isPhone(look)));
