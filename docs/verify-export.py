#!/usr/bin/env python3
"""Verifies an export of crmgate's audit log. Takes nothing but Python 3's standard library.

    python3 verify-export.py DIRECTORY [KEY [WITNESS …]]

DIRECTORY is what `crmgate audit export` wrote. KEY is the log's public key
(crmgate/NODE/EPOCH+…+…) or a file that holds it; get it from somebody else than who
gave you the directory. Without it the key in the directory is taken, which proves
that the export fits together, not whose it is. WITNESS is the public key of a witness,
or a file that holds it: it has to have countersigned a checkpoint in the export.

Checked are the signature of the checkpoint (Ed25519, RFC 8032), that the entries give
the root that was signed (RFC 6962), and that the hash tiles are those of the entries
(C2SP tlog-tiles), and that all checkpoints in it, countersigned (C2SP tlog-cosignature) or
not, are over these entries. Of a part of the log (entries.proofs) it checks for each entry that it is in the log which
the checkpoint was signed over, and can't know whether all are there that somebody asked for. Time stamps are for openssl ts -verify. The exit status is 0 only if all of it holds.
"""
import base64, hashlib, pathlib, re, sys

WIDTH = 256


def fail(what):
    sys.exit(f"NOT VERIFIED: {what}")


# Ed25519 (RFC 8032, 5.1.7): points are (x, y) with the formulas of section 5.1.4, without any attempt at speed.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P) % P)


def mul(n, a):
    r = (0, 1)
    for bit in bin(n)[2:]:
        r = add(r, r)
        if bit == "1":
            r = add(r, a)
    return r


def point(b):
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        fail("a point of the signature is malformed")
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - xx) % P or (x == 0 and sign):
        fail("a point of the signature is malformed")
    return (P - x if x & 1 != sign else x, y)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public, message, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % Q
    return mul(s, BASE) == add(point(r), mul(h, point(public)))


def read(path):
    try:
        return path.read_bytes()
    except OSError as e:
        fail(f"{path}: {e.strerror}")


def parts(key, kind):
    """Returns name, hash and public half of a key: kind is 1 for a log's, 4 for a witness's."""
    name, key_hash, data = key.strip().split("+", 2)
    data = base64.b64decode(data, validate=True)
    if data[:1] != bytes([kind]) or len(data) != 33:
        fail(f"the key of {name} is no Ed25519 key, or not one of this use")
    if hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex() != key_hash:
        fail(f"the key of {name} is not whole")
    return name, key_hash, data[1:]


def signatures(note, name, key_hash):
    """Returns a note's text and what is signed with that key."""
    text, _, lines = note.partition(b"\n\n")
    found = []
    for line in lines.decode().splitlines():
        dash, signer, sig = line.split(" ")
        sig = base64.b64decode(sig, validate=True)
        if (dash, signer, sig[:4].hex()) == ("—", name, key_hash):
            found.append(sig[4:])
    return text + b"\n", found


def checkpoint(path, key):
    """Returns origin, size and root of a checkpoint, whose signature is right."""
    name, key_hash, public = parts(key, 1)
    text, found = signatures(read(path), name, key_hash)
    if not found or not all(signed(public, text, sig) for sig in found):
        fail(f"{path.name} is not signed with this key")
    m = re.fullmatch(rb"(\S+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n", text)
    if not m or m[1].decode() != name:
        fail(f"{path.name} has another form, or is of another log")
    return name, int(m[2]), base64.b64decode(m[3])


def countersigned(path, key):
    """Says whether a witness has countersigned a checkpoint. A forged cosignature is a fault."""
    name, key_hash, public = parts(key, 4)
    text, found = signatures(read(path), name, key_hash)
    for sig in found:
        head = b"cosignature/v1\ntime %d\n" % int.from_bytes(sig[:8], "big")
        if not signed(public, head + text, sig[8:]):
            fail(f"{path.name}: the cosignature of {name} is forged")
    return bool(found)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(stack):
    """The root over full subtrees, largest first."""
    if not stack:
        return hashlib.sha256(b"").digest()
    h = stack[-1][1]
    for _, left in reversed(stack[:-1]):
        h = node(left, h)
    return h


def push(stack, h):
    """Adds a leaf to the full subtrees (height, hash)."""
    height = 0
    while stack and stack[-1][0] == height:
        h, height = node(stack.pop()[1], h), height + 1
    stack.append((height, h))


def tile(directory, level, n, width):
    name = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        name = f"x{n % 1000:03d}/{name}"
    return directory / "tile" / str(level) / (name if width == WIDTH else f"{name}.p/{width}")


def others(directory, key, witnesses):
    """Returns root and name of the checkpoints that others have signed, by size."""
    marks, files = {}, sorted((directory / "checkpoints").glob("*.checkpoint"))
    for path in files:
        _, at, r = checkpoint(path, key)
        marks.setdefault(at, []).append((r, path.name))
    for witness in witnesses:
        if not any([countersigned(path, witness) for path in files]):
            fail(f"{witness.split('+')[0]} has countersigned no checkpoint in the export")
    return marks


def proven(h, n, size, path):
    """The root that an inclusion proof gives for leaf n (RFC 9162, 2.1.3.2), None if it is none."""
    last = size - 1
    for p in path:
        if last == 0:
            return None
        if n & 1 or n == last:
            h = node(p, h)
            while n and not n & 1:
                n, last = n >> 1, last >> 1
        else:
            h = node(h, p)
        n, last = n >> 1, last >> 1
    return h if last == 0 else None


def grown(old, old_root, size, path):
    """The root that a consistency proof gives (RFC 9162, 2.1.4.2), None if it is none."""
    if old == size:
        return None if path else old_root
    if old & (old - 1) == 0:
        path = [old_root] + path
    n, last = old - 1, size - 1
    while n & 1:
        n, last = n >> 1, last >> 1
    if not path:
        return None
    before = after = path[0]
    for p in path[1:]:
        if last == 0:
            return None
        if n & 1 or n == last:
            before, after = node(p, before), node(p, after)
            while n and not n & 1:
                n, last = n >> 1, last >> 1
        else:
            after = node(after, p)
        n, last = n >> 1, last >> 1
    return after if before == old_root and last == 0 else None


def part(directory, origin, size, signed_root, marks):
    if (directory / "tile").exists():
        fail("it holds entries.proofs of a part and the tiles of a whole log")
    for at, found in marks.items():
        for r, name in found:
            growth = name.removesuffix(".checkpoint") + ".growth"
            text = read(directory / "checkpoints" / growth)
            if not re.fullmatch(rb"([A-Za-z0-9+/]{43}=\n)*", text):
                fail(f"{growth} has another form")
            if at < 1 or grown(at, r, size, [base64.b64decode(line) for line in text.split()]) != signed_root:
                fail(f"{growth} doesn't prove that the log only grew since {name}")
    count, previous = 0, -1
    for line in read(directory / "entries.proofs").splitlines(keepends=True):
        m = re.fullmatch(rb"(0|[1-9][0-9]{0,18}) ([A-Za-z0-9+/]+=*)((?: [A-Za-z0-9+/]{43}=)*)\n", line)
        if not m:
            fail(f"entries.proofs, line {count + 1}: it has another form")
        seq, leaf = int(m[1]), hashlib.sha256(b"\x00" + base64.b64decode(m[2], validate=True)).digest()
        if seq <= previous:
            fail(f"entries.proofs: entry {seq} stands behind entry {previous}")
        if seq >= size or proven(leaf, seq, size, [base64.b64decode(h) for h in m[3].split()]) != signed_root:
            fail(f"entry {seq} isn't proved: its number, bytes or proof aren't those that the checkpoint was signed over")
        count, previous = count + 1, seq
    if not count:
        fail("entries.proofs is empty")
    print(f"Verified: {count} of the {size} entries of {origin}, root {base64.b64encode(signed_root).decode()}")
    print("Each is genuine. Whether all are there that were asked for, an export of a part doesn't prove.")


def verify(directory, key, witnesses):
    origin, size, signed_root = checkpoint(directory / "checkpoint", key)
    marks = others(directory, key, witnesses)
    if any(at > size for at in marks):
        fail("a checkpoint that others have signed is over more entries than the export")
    check = part if (directory / "entries.proofs").exists() else whole
    check(directory, origin, size, signed_root, marks)
    for witness in witnesses:
        print(f"Countersigned by {witness.split('+')[0]}")


def whole(directory, origin, size, signed_root, marks):
    entries, tiles, level, bad = [], [], [], None
    for n in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - n * WIDTH)
        bundle, hashes = read(tile(directory, "entries", n, width)), read(tile(directory, 0, n, width))
        if len(hashes) != width * 32:
            fail(f"the tile over entries {n * WIDTH} to {n * WIDTH + width - 1} has the wrong length")
        at, below = 0, []
        for i in range(width):
            length = int.from_bytes(bundle[at:at + 2], "big")
            at += 2 + length
            if at > len(bundle) or not length:
                fail(f"entry {n * WIDTH + i} is cut short")
            leaf = hashlib.sha256(b"\x00" + bundle[at - length:at]).digest()
            in_tile = hashes[i * 32:i * 32 + 32]
            if leaf != in_tile and bad is None:
                bad = n * WIDTH + i
            push(entries, leaf)
            for r, name in marks.get(n * WIDTH + i + 1, []):
                if bad is None and root(entries) != r:
                    fail(f"{name}, which others have signed, is over other entries")
            push(tiles, in_tile)
            push(below, leaf)
        if at != len(bundle):
            fail(f"bytes stand behind entry {n * WIDTH + width - 1} in its bundle")
        if width == WIDTH:
            level.append(root(below))
    if root(entries) != signed_root:
        if bad is not None and root(tiles) == signed_root:
            fail(f"entry {bad} isn't the one that the checkpoint was signed over")
        fail("the entries aren't those that the checkpoint was signed over" + (f", from {bad} on" if bad is not None else ""))
    if bad is not None:
        fail(f"the tile over entry {bad} holds another hash than the signed one")
    height = 1
    while level:
        above = []
        for n in range((len(level) + WIDTH - 1) // WIDTH):
            part = level[n * WIDTH:(n + 1) * WIDTH]
            if read(tile(directory, height, n, len(part))) != b"".join(part):
                fail(f"tile/{height}/{n:03d} does not hold the hashes of the tiles below it")
            if len(part) == WIDTH:
                stack = []
                for h in part:
                    push(stack, h)
                above.append(root(stack))
        level, height = above, height + 1
    print(f"Verified: {size} entries of {origin}, root {base64.b64encode(signed_root).decode()}")


if len(sys.argv) < 2:
    sys.exit(__doc__)
where = pathlib.Path(sys.argv[1])


def given(text):
    return text if "+" in text and not pathlib.Path(text).exists() else read(pathlib.Path(text)).decode()


try:
    verify(where, given(sys.argv[2] if len(sys.argv) > 2 else str(where / "keys" / "log.vkey")), [given(w) for w in sys.argv[3:]])
except (ValueError, UnicodeError) as e:
    fail(f"a key or a checkpoint has another form: {e}")
