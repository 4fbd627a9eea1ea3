"""An RTSP camera: GStreamer's own server sends files as they are. Says its port.

Argument: JSON {"port": 0, "streams": {"/main": {"file": …, "codec": "h264" or "hevc", "loop": false}},
"user": null, "password": …, "digest": false}. With "loop" the file is a bare H.264 byte stream of 25 frames a second,
each with an access unit delimiter, sent again and again without a gap.
"""

import json
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PAY = {
    "h264": "h264parse ! rtph264pay name=pay0 pt=96 config-interval=1",
    "hevc": "h265parse ! rtph265pay name=pay0 pt=96 config-interval=1",
}

DELIMITER = b"\x00\x00\x00\x01\x09"
FRAME_NS = 40_000_000


class Circle:
    """Gives the frames of a file to each viewer's appsrc, with times that only go up."""

    def __init__(self, file):
        with open(file, "rb") as bytes_:
            first, *frames = bytes_.read().split(DELIMITER)
        self.frames = [DELIMITER + frame for frame in frames]

    def configure(self, _factory, media):
        source = media.get_element().get_child_by_name("source")
        sent = {"n": 0}

        def more(appsrc, _length):
            buffer = Gst.Buffer.new_wrapped(self.frames[sent["n"] % len(self.frames)])
            buffer.pts = buffer.dts = sent["n"] * FRAME_NS
            buffer.duration = FRAME_NS
            sent["n"] += 1
            appsrc.emit("push-buffer", buffer)

        source.connect("need-data", more)


about = json.loads(sys.argv[1])
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(str(about["port"]))
if about.get("user") is not None:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    if about.get("digest"):
        auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
        auth.add_digest(about["user"], about["password"], token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(about["user"], about["password"]), token)
    server.set_auth(auth)
for path, stream in about["streams"].items():
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(True)
    demux = "tsdemux" if stream["file"].endswith(".ts") else "qtdemux"
    source = f'filesrc location="{stream["file"]}" ! {demux}'
    if stream.get("loop"):
        caps = "video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1"
        source = f'appsrc name=source format=time caps="{caps}"'
        factory.connect("media-configure", Circle(stream["file"]).configure)
    factory.set_launch(f"( {source} ! {PAY[stream['codec']]} )")
    if about.get("user") is not None:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role("viewer")
        for right in ("access", "construct"):
            permissions.add_permission_for_role("viewer", f"media.factory.{right}", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory(path, factory)
if server.attach(None) == 0:
    sys.exit("the port is taken")
print(server.get_bound_port(), flush=True)
parent = os.getppid()


def orphaned():
    if os.getppid() != parent:
        os._exit(0)
    return True


GLib.timeout_add_seconds(2, orphaned)
GLib.MainLoop().run()
