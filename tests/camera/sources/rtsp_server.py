"""An RTSP server for the tests, run by Debian's Python: ``rtsp_server.py PORT [USER PASSWORD]``; prints its port.

``/live`` shows frames whose brightness tells the time: the upper half flashes, the lower half is a row of bars, one for
each bit of the milliseconds on the system's monotonic clock when the frame was made, the least first.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, RATE, BITS = 384, 96, 30, 24
LAUNCH = (
    f"appsrc name=frames is-live=true format=time do-timestamp=true "
    f"caps=video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={RATE}/1 ! videoconvert ! "
    "video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! "
    "rtph264pay name=pay0 pt=96 config-interval=1"
)


class Factory(GstRtspServer.RTSPMediaFactory):
    def do_create_element(self, url):
        return Gst.parse_launch(LAUNCH)

    def do_configure(self, media):
        frames = media.get_element().get_child_by_name("frames")
        GLib.timeout_add(1000 // RATE, lambda: self.push(frames))

    def push(self, frames):
        now = int(time.monotonic() * 1000)
        bars = b"".join((b"\xe0" if now >> bit & 1 else b"\x20") * (WIDTH // BITS) for bit in range(BITS))
        return frames.emit("push-buffer", Gst.Buffer.new_wrapped(bars * HEIGHT)) == Gst.FlowReturn.OK


def main():
    port, *login = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = Factory()
    factory.set_shared(True)
    if login:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login), token)
        server.set_auth(auth)
        access = "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
        factory.add_role_from_structure(Gst.Structure.from_string(access)[0])
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
