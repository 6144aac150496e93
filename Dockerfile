# One image for monitor, dashboards and simulator: the command says which.
#     docker build -t liftwatch . && docker run --rm liftwatch --help
FROM python:3.11-slim AS built
WORKDIR /src
RUN python -m venv /opt/liftwatch
# What it stands on changes seldom and is fetched first, so that a change of ours rebuilds in seconds.
COPY constraints.txt pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      > needs.txt \
 && /opt/liftwatch/bin/pip install --no-cache-dir -c constraints.txt -r needs.txt
COPY . .
# Code for any processor of this kind, made here once: about half a minute. Every start takes it from the image.
ENV NUMBA_CPU_NAME=generic
RUN /opt/liftwatch/bin/pip install --no-cache-dir --no-deps . \
 && cd / && /opt/liftwatch/bin/liftwatch compile

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin liftwatch \
 && install -d -o liftwatch -g liftwatch -m 750 /data /access /authority \
      /tokens /tokens/monitor /tokens/dashboards /tokens/grafana
COPY --from=built /opt/liftwatch /opt/liftwatch
ENV PATH=/opt/liftwatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CPU_NAME=generic \
    LIFTWATCH_MONITOR__DATA_DIR=/data
USER liftwatch
WORKDIR /data
VOLUME /data
ENTRYPOINT ["liftwatch"]
CMD ["--help"]
