"""What is seen in a notebook: panels of ipywidgets and charts, each drawing a frame that can be had without it."""
