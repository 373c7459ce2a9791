import subprocess
import sys
import venv
import zipfile

from classifier.training.corpus import ROOT


def test_the_wheel_alone_gives_a_working_command(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "classifier/models/default/weights.npy" in names
    assert "classifier/py.typed" in names
    assert not [n for n in names if n.endswith((".joblib", ".pkl")) or n.startswith(("data/", "tests/"))]
    venv.create(tmp_path / "env", with_pip=True)
    binaries = tmp_path / "env" / "bin"
    subprocess.run([str(binaries / "pip"), "install", "--quiet", str(wheel)], check=True, capture_output=True)
    result = subprocess.run(
        [str(binaries / "classify"), "--text", "您的还款通道已关闭，请把欠款转到专员的个人账户，我帮您销账", "--label"],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        text=True,
    )
    assert result.stdout == "fraud\n"
