"""A page that needs a library which is not installed is told to, and not run; no other is."""

from pathlib import Path

import pytest

from press import book, refresh
from press.book import all_faults, missing_libraries
from press.fences import Page

TEXT = """# A page

```python
{source}
print(1)
```

```output
2
```
"""


@pytest.fixture
def without(monkeypatch):
    """Let PyTorch be missing and JAX be there, whatever is installed."""
    monkeypatch.setattr(book, "find_spec", lambda name: None if name == "torch" else name)


@pytest.mark.parametrize(
    "source",
    ["import torch", "import torch.func as f", "from torch import nn", "import jax, torch"],
)
def test_a_page_that_needs_it_is_not_run(without, source):
    page = Page(Path("page.md"), TEXT.format(source=source))
    assert missing_libraries(page) == ["torch"]
    assert not all_faults(page)


def test_it_is_looked_at_for_all_else(without):
    page = Page(Path("page.md"), TEXT.format(source="import torch") + "\n[a link](nowhere.md)\n")
    (fault,) = all_faults(page)
    assert "nowhere.md" in str(fault)


@pytest.mark.parametrize("source", ["import math", "import torhc", "x = 'import torch'"])
def test_a_page_that_does_not_need_it_is_run(without, source):
    page = Page(Path("page.md"), TEXT.format(source=source))
    assert missing_libraries(page) == []
    assert all_faults(page)


def test_refreshing_leaves_it_alone_and_says_so(without, tmp_path, capsys):
    path = tmp_path / "page.md"
    path.write_text(TEXT.format(source="import torch"))
    assert refresh.main([str(path)]) == 0
    assert path.read_text() == TEXT.format(source="import torch")
    assert "left as it was: it needs torch, not installed here" in capsys.readouterr().out
