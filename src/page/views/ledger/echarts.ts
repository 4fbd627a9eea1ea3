/**
 * The parts of ECharts that the reports use: a chunk of its own, fetched when somebody looks at a chart. Drawn on a
 * canvas, tooltips too: the policy of the page lets nobody write markup.
 */
import { BarChart, LineChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, CanvasRenderer]);

export { init };
