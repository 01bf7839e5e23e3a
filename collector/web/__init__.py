"""The desk: what people see of Redshank in a browser.

A **page** is rendered here and works without JavaScript; with it, htmx swaps the
**pane** of one alert beside the **list**. A **line** is one change of the list as
it travels to every open browser over the **live** stream, encoded once: it names
no one. The **guard** asks the permission table before a route is entered.
"""
