"""Stand-in until np20 lands."""

import io
import zipfile


def carried_zip(package):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for p in sorted(package.rglob("*")):
            r = p.relative_to(package)
            if (
                p.is_file()
                and "__pycache__" not in r.parts
                and r.parts[0] not in ("figures", "book", "explore", "cli")
                and "tenants" not in r.parts[1:2]
            ):
                z.writestr(
                    zipfile.ZipInfo(
                        "multilora/" + str(r), (2020, 1, 1, 0, 0, 0)
                    ),
                    p.read_bytes(),
                    zipfile.ZIP_DEFLATED,
                )
        z.writestr("tqdm.py", "def tqdm(x,*a,**k): return x\n")
    return out.getvalue()
