"""Who asks: passwords, one-time codes and OpenID Connect, sessions in cookies, tokens, and the gate in front of all."""
