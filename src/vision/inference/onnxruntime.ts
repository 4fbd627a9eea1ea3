/**
 * ONNX Runtime, silent. On Linux it makes a device id out of `/etc/machine-id`, keeps events in a database below `~/.cache`
 * and sends them to its maker, unless the environment says no before the library is loaded. A box that watches people's
 * doors tells nobody but those it was set up to tell (docs/decisions/177).
 */
process.env.ORT_DISABLE_TELEMETRY = '1';

export const ort = await import('onnxruntime-node');
