"""The rules of what people in the car feel: vibration, harshness and shaking."""
