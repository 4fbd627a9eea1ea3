/** Everything the page says, Chinese first. */
const WORDS = {
  product: ['泉卫', 'Quanwei'],
  tagline: ['小区边缘网关', 'Edge gateway for residential compounds'],
  name: ['用户名', 'User name'],
  password: ['密码', 'Password'],
  signIn: ['登录', 'Sign in'],
  signOut: ['退出登录', 'Sign out'],
  signedOutWarning: ['未登录：本屏幕不会显示或响起警情', 'Not signed in: this screen shows and sounds no alarms'],
  changePassword: ['修改密码', 'Change password'],
  mustChange: ['首次登录，请先设置新密码', 'First sign-in: choose a new password'],
  currentPassword: ['当前密码', 'Current password'],
  newPassword: ['新密码（至少 10 位）', 'New password (10 characters or more)'],
  repeatPassword: ['再次输入新密码', 'New password again'],
  passwordsDiffer: ['两次输入不一致', 'The two do not match'],
  passwordChanged: ['密码已修改', 'Password changed'],
  save: ['保存', 'Save'],
  cancel: ['取消', 'Cancel'],
  confirm: ['确定', 'OK'],
  close: ['关闭', 'Close'],
  retry: ['重试', 'Retry'],
  language: ['English', '中文'],

  alarms: ['警情', 'Alarms'],
  doors: ['门禁', 'Doors'],
  devices: ['设备', 'Devices'],
  system: ['系统', 'System'],
  now: ['需要立即处理', 'Needs someone now'],
  inHand: ['处理中', 'In hand'],
  aside: ['搁置 · 演练 · 补报', 'Shelved · drills · told late'],
  rest: ['较轻的警情未全部显示', 'Less grave ones are not all shown'],
  allQuiet: ['目前没有警情', 'All quiet'],
  allQuietMore: ['新警情会立即出现在这里', 'A new alarm appears here at once'],
  level: ['级', 'Level'],
  drill: ['演练', 'DRILL'],
  replayed: ['补报', 'Told late'],
  shelved: ['搁置至', 'Shelved until'],
  escalated: ['已升级', 'Escalated'],
  times: ['次', '×'],
  who: ['负责人', 'With'],
  nobody: ['无人负责', 'Nobody yet'],
  age: ['已持续', 'Age'],
  ackIn: ['确认剩余', 'Acknowledge in'],
  ackLate: ['确认超时', 'Acknowledge late'],
  closeIn: ['销号剩余', 'Close in'],
  closeLate: ['销号超时', 'Close late'],
  noDeadline: ['无时限', 'No deadline'],
  details: ['详情', 'Details'],
  timeline: ['处置过程', 'Timeline'],
  facts: ['警情信息', 'Facts'],
  source: ['来源', 'Source'],
  place: ['位置', 'Place'],
  device: ['设备', 'Device'],
  raisedAt: ['发生时间', 'Raised'],
  deviceTime: ['设备时间', 'Device time'],
  condition: ['报警状态', 'Condition'],
  handling: ['处置状态', 'Handling'],
  result: ['处置结果', 'Result'],
  number: ['编号', 'Id'],
  evidence: ['证据', 'Evidence'],
  evidenceNotYours: ['有图片或录像，值班员以上可以查看', 'There are pictures; operators may see them'],
  evidenceGone: ['图片已过保存期或不在本机', 'The picture is past its time, or not on this box'],
  copyClip: ['导出录像', 'Save the clip'],
  cameras: ['视频', 'Cameras'],
  noCameras: ['没有摄像机', 'No cameras'],
  watch: ['看实时', 'Watch'],
  connecting: ['正在连接摄像机…', 'Connecting to the camera…'],
  noPicture: ['摄像机没有画面', 'The camera gives no picture'],
  stage: ['阶段', 'Stage'],
  zone: ['围墙或区域', 'Fence or zone'],
  track: ['目标编号', 'Track'],
  score: ['把握', 'Score'],
  posture: ['姿态分', 'Posture'],
  direction: ['方向', 'Direction'],
  rule: ['依据', 'Rule'],
  similarity: ['相似度', 'Similarity'],
  personNumber: ['人员编号', 'Person'],

  acknowledge: ['确认', 'Acknowledge'],
  acknowledgeAll: ['全部确认', 'Acknowledge all'],
  accept: ['受理', 'Accept'],
  dispatch: ['派单', 'Dispatch'],
  handle: ['处置完成', 'Handled'],
  return: ['退回', 'Return'],
  closeCase: ['销号', 'Close case'],
  false: ['误报', 'False alarm'],
  merge: ['并案', 'Merge'],
  shelve: ['搁置', 'Shelve'],
  unshelve: ['取消搁置', 'Unshelve'],
  reset: ['复位', 'Reset'],
  regrade: ['升级', 'Raise level'],
  note: ['备注', 'Note'],
  to: ['派给（姓名或岗位）', 'To (name or post)'],
  reason: ['原因', 'Reason'],
  noteText: ['说明', 'Words'],
  resultText: ['结果：发现了什么、做了什么', 'Result: what was found and done'],
  closeReason: ['设备仍在报警，销号原因', 'The device still reports it: why close?'],
  mergeInto: ['并入', 'Merge into'],
  shelveFor: ['搁置时长', 'For how long'],
  minutes30: ['30 分钟', '30 minutes'],
  hours2: ['2 小时', '2 hours'],
  hours8: ['8 小时', '8 hours'],
  day: ['1 天', '1 day'],
  newLevel: ['调整为', 'New level'],
  report: ['登记上报', 'New report'],
  reportHow: ['来源', 'How it came'],
  what: ['类别', 'Category'],
  where: ['位置', 'Where'],
  words: ['内容', 'What was said'],
  reporter: ['反映人（选填）', 'Who told it (optional)'],
  contact: ['联系方式（选填）', 'Contact (optional)'],
  receipt: ['受理号', 'Receipt'],
  reportDone: ['已登记，受理号', 'Noted; receipt'],
  startDrill: ['演练', 'Drill'],
  drillText: ['演练按真实流程进行，但不响警号、不开门、不上报为真警情。', 'As in earnest, but no siren, no doors.'],
  done: ['已完成', 'Done'],
  conflict: ['已被他人处理，画面已更新', 'Somebody else acted first; this is how it is now'],

  openDoor: ['开门', 'Open'],
  openReason: ['开门原因', 'Why'],
  opened: ['门已打开', 'The door is open'],
  sent: ['开门指令已发出（该门不回报结果）', 'Sent; this door never answers'],
  doorRefused: ['门禁拒绝开门', 'The device refused'],
  doorTimeout: ['门禁未按时应答，请现场确认', 'The device did not answer: go and look'],
  doorOffline: ['门禁不在线，未能开门', 'The device is offline: not opened'],
  visitor: ['访客', 'Visitor'],
  emergency: ['紧急情况', 'Emergency'],
  delivery: ['送货', 'Delivery'],
  repair: ['维修', 'Repair'],
  noDoors: ['没有可远程开启的门', 'No door can be opened from here'],
  online: ['在线', 'Online'],
  offline: ['离线', 'Offline'],
  unseen: ['从未连接', 'Never seen'],
  disabled: ['已停用', 'Disabled'],
  battery: ['电量', 'Battery'],
  lastSeen: ['最近', 'Last seen'],
  search: ['查找设备', 'Find a device'],
  problemsOnly: ['只看异常', 'Problems only'],
  candidates: ['有未登记的设备请求接入', 'Unknown devices have knocked'],
  noDevices: ['没有设备', 'No devices'],

  upstream: ['指挥中心', 'Command centre'],
  problem: ['问题', 'Problem'],
  connected: ['已连接', 'Connected'],
  disconnected: ['未连接', 'Not connected'],
  notConfigured: ['未配置', 'Not configured'],
  backlog: ['待上报', 'Waiting to be sent'],
  oldest: ['最久未确认', 'Oldest unconfirmed'],
  lastReceipt: ['最近回执', 'Last receipt'],
  storage: ['存储', 'Storage'],
  free: ['剩余', 'free'],
  journalSize: ['日志', 'Journal'],
  entries: ['条', 'entries'],
  uptime: ['已运行', 'Up for'],
  version: ['版本', 'Version'],
  memory: ['内存', 'Memory'],
  clockIs: ['时钟', 'Clock'],
  synced: ['已同步', 'Synced'],
  unsynced: ['未同步', 'Not synced'],
  people: ['在线人员', 'Signed in'],
  good: ['正常', 'Fine'],
  bad: ['故障', 'Fault'],
  backupNow: ['立即备份', 'Back up now'],
  backedUp: ['备份完成', 'Backed up'],

  live: ['实时', 'Live'],
  reconnecting: ['重连中', 'Reconnecting'],
  soundOn: ['声音已开启', 'Sound is on'],
  enableSound: ['开启声音', 'Enable sound'],
  soundGate: ['本页面尚未开启声音，一级警情不会响铃', 'Sound is off on this page: a level-1 alarm will not ring'],
  soundGateNow: ['有一级警情，但声音未开启！', 'A level-1 alarm is on and the sound is off!'],
  ringing: ['警报响铃中，确认后停止', 'Ringing until it is acknowledged'],
  lost: [
    '与网关的连接已中断：画面不是最新，新警情不会出现',
    'Connection to the gateway lost: this picture is old, new alarms do not appear',
  ],
  lostSince: ['已中断', 'for'],
  storageFailed: [
    '存储故障：新警情可能无法保存，请立即联系维护人员',
    'Storage failed: new alarms may not be kept. Call maintenance now',
  ],
  storageLow: ['磁盘空间不足', 'The disk is nearly full'],
  clockUnsynced: ['系统时钟未同步：显示的时间可能不准', 'The clock is not synced: the times shown may be wrong'],
  upstreamDown: [
    '指挥中心未连接，警情保存在本机，恢复后自动上报',
    'The command centre is not reached; alarms wait here and are sent later',
  ],
  sessionEnding: [
    '登录即将到期，请重新登录，以免漏警',
    'Your session ends soon: sign in again so that no alarm is missed',
  ],
};

const CONDITIONS = {
  'active-unacknowledged': ['报警中 · 未确认', 'Active, unacknowledged'],
  'active-acknowledged': ['报警中 · 已确认', 'Active, acknowledged'],
  'cleared-unacknowledged': ['已恢复 · 未确认', 'Cleared, unacknowledged'],
  latched: ['已确认 · 待复位', 'Latched, needs reset'],
  normal: ['已恢复', 'Normal'],
};
const HANDLINGS = {
  open: ['未受理', 'Open'],
  accepted: ['已受理', 'Accepted'],
  dispatched: ['已派单', 'Dispatched'],
  handled: ['已处置', 'Handled'],
  closed: ['已销号', 'Closed'],
  merged: ['已并案', 'Merged'],
  false: ['误报', 'False alarm'],
};
const KINDS = {
  'alarm.raised': ['发生', 'Raised'],
  'alarm.repeated': ['再次触发', 'Again'],
  'alarm.regraded': ['级别上调', 'Level raised'],
  'alarm.cleared': ['设备恢复', 'Cleared'],
  'alarm.acknowledged': ['确认', 'Acknowledged'],
  'alarm.escalated': ['超时升级', 'Escalated'],
  'alarm.accepted': ['受理', 'Accepted'],
  'alarm.dispatched': ['派单', 'Dispatched'],
  'alarm.handled': ['处置完成', 'Handled'],
  'alarm.returned': ['退回', 'Returned'],
  'alarm.closed': ['销号', 'Closed'],
  'alarm.false': ['误报', 'False alarm'],
  'alarm.merged': ['并案', 'Merged'],
  'alarm.shelved': ['搁置', 'Shelved'],
  'alarm.unshelved': ['取消搁置', 'Unshelved'],
  'alarm.reset': ['复位', 'Reset'],
  'alarm.noted': ['备注', 'Note'],
};
const CHANNELS = {
  device: ['设备', 'Device'],
  camera: ['摄像头', 'Camera'],
  resident: ['随手拍', "Resident's snap"],
  phone: ['电话', 'Phone call'],
  visit: ['来访', 'Visit'],
  letter: ['信件', 'Letter'],
  patrol: ['巡查', 'Patrol'],
  centre: ['指挥中心', 'Command centre'],
  system: ['本机', 'This box'],
  drill: ['演练', 'Drill'],
};
const LEVELS = { 1: ['一级', 'L1'], 2: ['二级', 'L2'], 3: ['三级', 'L3'], 4: ['四级', 'L4'] };

const KEY = 'quanwei.language';
let english = localStorage.getItem(KEY) === 'en';
let categories = {};

const pick = (pair, fallback) => (pair === undefined ? fallback : pair[english ? 1 : 0]);

export const t = (key) => pick(WORDS[key], key);
export const conditionWord = (condition) => pick(CONDITIONS[condition], condition);
export const handlingWord = (handling) => pick(HANDLINGS[handling], handling);
export const kindWord = (kind) => pick(KINDS[kind], kind);
export const channelWord = (channel) => pick(CHANNELS[channel], channel);
export const levelWord = (level) => pick(LEVELS[level], String(level));
export const categoryWord = (category) => {
  const word = categories[category];
  return word === undefined ? category : english ? word.en : word.zh;
};
/** How people tell something; the order is how often each happens. */
export const REPORT_CHANNELS = ['resident', 'phone', 'visit', 'letter', 'patrol'];

/** The names of categories come from the gateway. */
export function learnCategories(known) {
  categories = known;
}
export const isEnglish = () => english;
export function switchLanguage() {
  english = !english;
  localStorage.setItem(KEY, english ? 'en' : 'zh');
  document.documentElement.lang = english ? 'en' : 'zh-CN';
}
document.documentElement.lang = english ? 'en' : 'zh-CN';

/** An answer of the API says both languages, Chinese first; shown is the half of the reader. */
export function spokenMessage(message) {
  const parts = message.split(' · ');
  return parts.length === 2 ? parts[english ? 1 : 0] : message;
}
