import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub_extensions.groups import key
from hub_extensions.mistakes import SettingsError, validated
from hub_extensions.mounts import AdminExtras, GroupDirectory, UserVolume, folder, of_groups, of_person

PROJECTS = {"groups": ["project:*"], "mount_path": "/home/jovyan/{group}", "sub_path": "_groups/{group}"}


def directories(*listed):
    return [GroupDirectory.model_validate(each) for each in listed]


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("ocean-lab", "ocean-lab"),
        ("Ocean-Lab", "ocean-lab"),
        ("project:ocean", "project_3aocean"),
        ("ocean_lab", "ocean_5flab"),
        ("..", "_2e_2e"),
        ("../../etc", "_2e_2e_2f_2e_2e_2fetc"),
        ("/a/admin", "_2fa_2fadmin"),
        ("-rf", "_2drf"),
        ("$(reboot)", "_24_28reboot_29"),
        ("{username}", "_7busername_7d"),
        ("Übung", "_c3_9cbung".replace("9c", "bc")),
        (" ", "_"),
    ],
)
def test_the_folder_of_a_group_is_safe_and_readable(group, name):
    assert folder(group) == name


@given(st.text(max_size=300))
def test_the_folder_of_any_group_is_one_plain_name(group):
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]*", folder(group))
    assert len(folder(group)) <= 200


# Texts in which an escape could be mistaken for what it escapes.
tricky = st.text(alphabet="aA-_:./2d3e5f", max_size=6)


@given(tricky, tricky)
def test_two_groups_never_share_a_folder_and_one_group_never_has_two(one, other):
    assert (folder(one) == folder(other)) == (key(one) == key(other))


def test_groups_that_differ_only_at_the_end_of_a_long_name_do_not_share_a_folder():
    assert folder("x" * 300) != folder("x" * 299 + "y")


def test_each_group_that_fits_has_its_mount_and_the_others_none():
    found = of_groups(directories(PROJECTS), ["project:b", "Project:A", "staff", "xproject:c"])
    assert found == [
        {
            "name": "home",
            "mountPath": f"/home/jovyan/project_3a{name}",
            "subPath": f"_groups/project_3a{name}",
            "readOnly": False,
        }
        for name in "ab"
    ]


def test_a_group_in_two_spellings_has_one_mount():
    assert len(of_groups(directories(PROJECTS), ["project:a", "PROJECT:A"])) == 1


def test_one_group_may_have_a_fixed_path_and_its_volume_may_be_chosen():
    leads = {"groups": ["leads"], "mount_path": "/srv/leads", "sub_path": "leads", "read_only": True, "volume": "big"}
    assert of_groups(directories(leads), ["Leads"]) == [
        {"name": "big", "mountPath": "/srv/leads", "subPath": "leads", "readOnly": True}
    ]
    assert of_groups(directories(leads), ["others"]) == []


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"mount_path": "home/{group}"}, "absolute path"),
        ({"mount_path": "/home/../{group}"}, "absolute path"),
        ({"mount_path": "/{group}"}, "cover a system's folder"),
        ({"sub_path": "/groups/{group}"}, "inside the volume"),
        ({"sub_path": "../{group}"}, "inside the volume"),
        ({"sub_path": "_groups/{gruop}"}, "Did you mean 'group'"),
        ({"sub_path": "_groups/{group.__class__}"}, "is not a placeholder"),
        ({"sub_path": "_groups"}, "sub_path has no {group}"),
        ({"mount_path": "/home/jovyan/shared"}, "mount_path has no {group}"),
        ({"groups": []}, "at least 1 item"),
        ({"readonly": True}, "read_only"),
    ],
    ids=str,
)
def test_a_mistake_in_a_group_directory_is_told(change, mistake):
    with pytest.raises(SettingsError) as caught:
        validated(tuple[GroupDirectory, ...], [PROJECTS | change], "group_directories")
    assert mistake in str(caught.value)


SHARED = {"name": "home", "mountPath": "/home/jovyan/shared", "subPath": "_shared"}


@pytest.mark.parametrize(
    "mounts",
    [
        [SHARED],
        {"001-shared": SHARED, "002-off": None},
        {"1": SHARED | {"readOnly": None}},
    ],
    ids=["list", "mapping with null", "null inside"],
)
def test_the_mounts_of_admins_are_a_list_or_a_mapping_as_charts_have_them(mounts):
    assert AdminExtras.model_validate({"extraVolumeMounts": mounts}).mounts == [SHARED]


def test_null_is_nothing_anywhere_in_the_extras_of_admins():
    extras = AdminExtras.model_validate({"extraEnv": None, "extraVolumeMounts": None, "serviceAccountName": None})
    assert (extras.environment, extras.mounts, extras.service_account_name) == ({}, [], None)
    assert AdminExtras.model_validate({"extraEnv": {"A": None, "B": "b"}}).environment == {"B": "b"}


def test_an_unknown_key_in_a_mount_is_a_mistake_with_its_place():
    with pytest.raises(SettingsError, match=r"extraVolumeMounts\[0\].readonly: unknown key. Did you mean 'readOnly'"):
        validated(AdminExtras, {"extraVolumeMounts": [SHARED | {"readonly": True}]}, "admin_extras")


def test_a_volume_as_2i2c_writes_it_is_taken_unchanged_and_mounted_by_something_else():
    volume = UserVolume.model_validate({"name": "postgres-{username}", "class": "standard", "capacity": "1Gi"})
    assert (volume.storage_class, volume.access_modes, volume.of_each_server) == ("standard", ("ReadWriteOnce",), False)
    assert of_person([volume]) == ([], [])


def test_a_volume_with_a_path_is_mounted_there():
    volume = UserVolume.model_validate({"name": "data-{user_server}", "size": "1Gi", "mountPath": "/data"})
    assert volume.of_each_server
    assert of_person([volume]) == (
        [{"name": "own-0", "persistentVolumeClaim": {"claimName": "data-{user_server}"}}],
        [{"name": "own-0", "mountPath": "/data", "readOnly": False}],
    )


@pytest.mark.parametrize("capacity", ["much", "1 GB", "1gb", "-1Gi", ""])
def test_a_capacity_that_kubernetes_would_refuse_is_a_mistake(capacity):
    with pytest.raises(ValidationError, match="capacity"):
        UserVolume.model_validate({"name": "data-{username}", "capacity": capacity})


@pytest.mark.parametrize("name", ["data", "data-{namespace}", "data-{who}"])
def test_a_volume_that_everybody_would_share_is_a_mistake(name):
    with pytest.raises(ValidationError, match=r"username|unknown placeholder"):
        UserVolume.model_validate({"name": name, "capacity": "1Gi"})


def test_the_alphabet_of_folders_is_that_of_every_file_system():
    assert set(folder(string.printable)) <= set(string.ascii_lowercase + string.digits + "-_")
