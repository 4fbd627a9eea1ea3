import type { Component } from 'vue';
import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router';
import type { Role } from './api/types.ts';
import BoardView from './views/board/BoardView.vue';
import type { WordKey } from './words/words.ts';

declare module 'vue-router' {
  interface RouteMeta {
    /** The least role that may see it. */
    readonly role: Role;
    readonly title: WordKey;
    /** Uses Element Plus: shown inside its frame. */
    readonly element?: boolean;
  }
}

type View = () => Promise<{ default: Component }>;
const view = (path: string, name: string, title: WordKey, role: Role, component: View): RouteRecordRaw => ({
  path,
  name,
  component,
  meta: { role, title, element: true },
});

/** The board comes with the shell; everything else when it is asked for. */
export const router = createRouter({
  // Behind `#`: the gateway serves one page, whatever is looked at.
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'board', component: BoardView, meta: { role: 'viewer', title: 'shell.nav_board' } },
    {
      path: '/wall',
      name: 'wall',
      component: () => import('./views/board/WallView.vue'),
      meta: { role: 'viewer', title: 'shell.nav_board' },
    },
    {
      path: '/alarms/:id',
      name: 'alarm',
      component: () => import('./views/alarm/AlarmView.vue'),
      meta: { role: 'viewer', title: 'shell.nav_board' },
    },
    {
      path: '/map',
      name: 'map',
      component: () => import('./views/map/MapView.vue'),
      meta: { role: 'viewer', title: 'shell.nav_map' },
    },
    view('/video/:id?', 'video', 'shell.nav_video', 'operator', () => import('./views/video/VideoView.vue')),
    view('/doors/:id?', 'doors', 'shell.nav_doors', 'operator', () => import('./views/doors/DoorsView.vue')),
    {
      path: '/devices',
      component: () => import('./views/devices/DevicesView.vue'),
      meta: { role: 'viewer', title: 'shell.nav_devices' },
      // No device is called `-`.
      children: [
        { path: '', name: 'devices', component: () => import('./views/devices/DeviceList.vue') },
        { path: ':id', name: 'device', component: () => import('./views/devices/DevicePage.vue') },
        {
          path: '-/add',
          name: 'device-add',
          component: () => import('./views/devices/AddDevice.vue'),
          meta: { role: 'manager', title: 'devices.add' },
        },
        {
          path: '-/waiting',
          name: 'device-waiting',
          component: () => import('./views/devices/WaitingList.vue'),
          meta: { role: 'manager', title: 'devices.waiting' },
        },
        { path: '-/models', name: 'models', component: () => import('./views/devices/ModelList.vue') },
        { path: '-/models/:id', name: 'model', component: () => import('./views/devices/ModelPage.vue') },
      ],
    },
    view('/ledger', 'ledger', 'shell.nav_ledger', 'viewer', () => import('./views/ledger/LedgerView.vue')),
    view('/reports', 'reports', 'shell.nav_ledger', 'viewer', () => import('./views/ledger/ReportsView.vue')),
    view('/centre', 'centre', 'shell.nav_centre', 'viewer', () => import('./views/centre/CentreView.vue')),
    {
      path: '/settings/:part?',
      name: 'settings',
      component: () => import('./views/settings/SettingsView.vue'),
      meta: { role: 'viewer', title: 'shell.nav_settings' },
    },
    {
      path: '/welcome/:step?',
      name: 'welcome',
      component: () => import('./views/welcome/WelcomeView.vue'),
      meta: { role: 'admin', title: 'setup.title' },
    },
    { path: '/:rest(.*)', redirect: '/' },
  ],
});
