import pytest

from hub_extensions import sizes


@pytest.mark.parametrize(
    ("amount", "in_bytes"),
    [
        ("512M", 512 * 2**20),
        ("1.5G", 3 * 2**29),
        ("4Gi", 2**32),
        ("2 GB", 2**31),
        (1024, 1024),
        ("77", 77),
        (None, None),
    ],
)
def test_memory_is_read_as_jupyterhub_reads_it(amount, in_bytes):
    assert sizes.memory_bytes(amount) == in_bytes


@pytest.mark.parametrize("amount", ["4 apples", "", "G", "-1G", True, "1e3", "٣G"])
def test_what_is_no_amount_of_memory_is_an_error_that_says_so(amount):
    with pytest.raises(ValueError, match="amount of memory"):
        sizes.memory_bytes(amount)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ({}, ""),
        ({"mem_limit": "4G", "cpu_limit": 2}, "4 GB memory, up to 2 CPUs"),
        ({"mem_limit": "4G", "cpu_limit": 1, "cpu_guarantee": 1}, "4 GB memory, 1 CPU"),
        ({"mem_guarantee": "7.222G", "mem_limit": None}, "at least 7.2 GB memory"),
        ({"mem_limit": "512M", "cpu_guarantee": 0.5}, "512 MB memory, at least 0.5 CPU"),
        ({"cpu_limit": 15.536}, "up to 16 CPUs"),
        ({"extra_resource_limits": {"nvidia.com/gpu": "1"}}, "1 GPU"),
        ({"extra_resource_limits": {"nvidia.com/gpu": 2, "hugepages-2Mi": "1"}}, "2 GPUs"),
        ({"mem_limit": lambda spawner: spawner}, ""),
    ],
)
def test_sizes_are_told_in_plain_words_made_from_the_numbers(override, words):
    assert sizes.describe(override) == words
