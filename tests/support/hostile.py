"""Code that a page must survive, and roads to the network that are closed."""

# Each must print "closed", or raise, when the port of {port} is out of reach.
# Past the shut imports: the import hook, and all of Python's objects, hold JS.
JS = """
import gc, sys
from pyodide.ffi import JsProxy, to_js
import _pyodide._importhook as hook
js = hook.jsfinder.jsproxies["js"]
URL = "http://127.0.0.1:{port}/secret"
"""
ROADS = {
    "import js": "import js\njs.fetch('http://127.0.0.1:{port}/')",
    "run_js": "from pyodide.code import run_js\nrun_js('1')",
    "open_url": "from pyodide.http import open_url\nopen_url('{port}')",
    "urllib": "import urllib.request\n"
    "urllib.request.urlopen('http://127.0.0.1:{port}/')",
    "socket": "import socket\n"
    "socket.create_connection(('127.0.0.1', {port}), 3)",
    "fetch": JS + "js.fetch(URL)",
    "XMLHttpRequest": JS + "js.XMLHttpRequest.new()",
    "WebSocket": JS + "js.WebSocket.new(URL.replace('http', 'ws'))",
    "EventSource": JS + "js.EventSource.new(URL)",
    "WebTransport": JS + "js.WebTransport.new(URL.replace('http', 'https'))",
    "Worker": JS + "js.Worker.new(URL)",
    "importScripts": JS + "js.importScripts(URL)",
    "eval": JS + "js.eval('1')",
    "Function": JS + "js.Function.new('return 1')()",
    "timer": JS + "js.setTimeout('fetch(\"' + URL + '\")', 0)",
    "a function's maker": "from multilora.inpage.post import _listeners\n"
    "_listeners[0].constructor('return 1')()",
    "of all objects": JS + "for one in gc.get_objects():\n"
    "    if isinstance(one, JsProxy) and hasattr(one, 'fetch'):\n"
    "        one.fetch(URL)\n",
    "font": JS + "js.FontFace.new('a', 'url(' + URL + ')').load()",
    "buckets": JS + "js.navigator.storageBuckets.open('a').then(\n"
    "    lambda b: b.caches.open('b')).then(lambda c: c.add(URL))",
    "loadPyodide": JS
    + "js.Reflect.deleteProperty(js, '_createPyodideModule')\n"
    "js._createPyodideModule = None\n"
    "js.loadPyodide(indexURL=URL + '/')",
    "script of a blob": JS + "text = js.URL.createObjectURL(js.Blob.new(\n"
    "    to_js(['self.ran = true']), type='text/javascript'))\n"
    "js._createPyodideModule = None\n"
    "js.loadPyodide(indexURL=text + '#')",
    "loadPackage": JS
    + "hook.jsfinder.jsproxies['pyodide_js'].loadPackage(URL + '.whl')",
    "ctypes": "import ctypes\n"
    "ctypes.CDLL(None).emscripten_run_script(b'fetch(\"http://127.0.0.1:{port}\")')",
    "a posted message": JS
    + "js.postMessage(to_js({'kind': 'out', 'value': 7}))",
}
NO_END = {
    "an endless loop": "while True:\n    pass\n",
    "an endless print": "while True:\n    print('again and again')\n",
    "a regex bomb": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')\n",
    "a flood of messages": "from multilora.inpage.post import tell\n"
    "while True:\n    tell('block', 'x' * 1000)\n",
}
# What the page says or shows, in part.
ENDS = {
    "recursion": ("def f(n):\n    return f(n + 1)\nf(0)\n", "RecursionError"),
    "recursion in json": (
        "import json\njson.loads('[' * 100_000)\n",
        "ecursion",
    ),
    "recursion in sorted": (
        "def key(x):\n    return sorted([1, 2], key=key)[0]\n"
        "sorted([1, 2], key=key)\n",
        "ecursion",
    ),
    "recursion in the parser": ("(" * 5_000 + ")" * 5_000, "parenthes"),
    "os._exit": ("import os\nos._exit(3)\n", "ended Python"),
    "sys.exit": ("import sys\nsys.exit(3)\n", "exit(3)"),
    "a syntax error": ("x = 1\ndef f(:\n", "line 2"),
    "memory at once": ("bytearray(2**31 - 100)\n", "MemoryError"),
    "memory bit by bit": (
        "x = []\nwhile True:\n    x.append(bytearray(10**7))\n",
        "emory",
    ),
    "a list that grows": ("x = [0]\nwhile True:\n    x += x\n", "emory"),
    "an array": ("import numpy as np\nnp.ones(10**8 * 2)\n", "emory"),
    "a thread": (
        "import threading\nthreading.Thread(target=print).start()\n",
        "can't start new thread",
    ),
    "a process": ("import os\nos.fork()\n", "Error"),
    "input": ("input('name? ')\n", "EOFError"),
    "a file": (
        "with open('a.txt', 'w') as f:\n    f.write('kept')\n"
        "open('a.txt').read()\n",
        "kept",
    ),
    "a file that is not there": ("open('/etc/shadow')\n", "FileNotFoundError"),
    "one huge line": ("print('x' * 10**7, end='')\n", "more is not shown"),
    "many lines": ("for i in range(10**5):\n    print(i)\n", "more is not"),
    "null bytes": ("x = 1\0\n", "null bytes"),
    "a printed surrogate": ("print('\\ud800')\n", ""),
    "too long": ("#" * 200_001, "at most 200,000"),
    "tabs and CRLF": ("if True:\r\n\tprint('both')\r\n", "both"),
    "replaced builtins": (
        "import builtins\nbuiltins.len = builtins.print = None\n",
        "Your code replaced builtins.len",
    ),
    "no more imports": (
        "import sys\nsys.meta_path.clear()\nsys.path.clear()\n",
        "Your code replaced sys.meta_path",
    ),
    "no more modules": ("import sys\nsys.modules.clear()\n", "sys.modules"),
    "no more streams": (
        "import sys\nsys.stdout = sys.stderr = None\nprint(1)\n1/0",
        "ZeroDivision",
    ),
    "no more listeners": (
        "from multilora.inpage import post\npost.detach()\n1/0\n",
        "",
    ),
    "a changed class": (
        "from multilora.cache.slots import AdapterSlotCache as C\n"
        "C.activate = lambda self, i: 0\n",
        "multilora.cache.slots.AdapterSlotCache.activate",
    ),
    "an error whose text fails": (
        "class E(Exception):\n    def __str__(self): 1 / 0\nraise E\n",
        "E",
    ),
    "an endless chain": (
        "def f():\n    try:\n        f()\n    except RecursionError as e:\n"
        "        raise ValueError('x' * 10**6) from e\nf()\n",
        "ValueError",
    ),
    "a removed library": (
        "import shutil\nshutil.rmtree('/library', ignore_errors=True)\n",
        "",
    ),
    "print replaced by a cell": ("print = 3\nprint\n", "3"),
    "markup": ("print('<img src=x onerror=alert(1)>')\n", "<img"),
    "a bomb of digits": ("print(10**5000)\n", "digits"),
}
