"""What the theme writes again and again, said once.

It repeats the look of a cell and of its tick, hundreds of characters of class names, in each row of each list: two
thirds of the page. Here a cell only says that it is one, and `static/hub/workplace.css` holds the look.
"""

from unfold import admin
from unfold.templatetags import unfold_list


def name_cells() -> None:
    unfold_list.ROW_CLASSES[:] = ["hub-cell"]
    unfold_list.CHECKBOX_CLASSES[:] = ["hub-cell", "action-checkbox"]
    unfold_list.LINK_CLASSES[:] = ["hub-cell-link"]
    admin.checkbox.attrs["class"] = "hub-tick action-select"
