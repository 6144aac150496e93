// The drawn map: MapLibre with the style of `map_style.js`. It requests nothing but the operator's base tiles.

import { Map as MapLibre, addProtocol, setWorkerCount } from "../vendor/maplibre/maplibre-gl.mjs";
import { symbolImage } from "./map_symbols.js";
import { mapStyle } from "./map_style.js";
import { translate } from "./translations.js";

const LAYERS = ["urgent", "lifts", "clusters"];
const REACH_PX = 12, ONE_LIFT_ZOOM = 16, PLACE_LIFTS_MOST = 100, MARGIN_PX = 48, BUTTONS_PX = 72;
const WORLD = { type: "FeatureCollection", features: [] };

/** Tiles of another address are requested by the page, whose policy names the address, not by a worker. */
function addProtocols({ tilesFrom }) {
  addProtocol("tiles", async ({ url }, { signal }) => {
    const answer = await fetch(url.replace("tiles://", ""), { signal, credentials: "omit", referrerPolicy: "no-referrer" });
    if (answer.status === 404 || answer.status === 204) return { data: new ArrayBuffer(0) };
    if (!answer.ok) throw new Error(`${answer.status}`);
    return { data: await answer.arrayBuffer() };
  });
  if (tilesFrom === "file") addProtocol("pmtiles", new window.pmtiles.Protocol().tile);
}

export class MapCanvas {
  /** `open(lift_id)` and `openPlace(lift_ids)` are called for a click; `hover(lift_id, count)` for the pointer; `failed()` where tiles fail. */
  constructor(box, { outlines, symbols, open, openPlace, hover, failed }) {
    Object.assign(this, { outlines, symbols, open, openPlace, hover, lifts: WORLD, urgent: WORLD, drawn: false, fitted: location.hash !== "" });
    const { dataset } = document.body;
    addProtocols(dataset);
    setWorkerCount(1);
    this.map = new MapLibre({
      container: box, style: this.style(), hash: true, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, maxZoom: 19, renderWorldCopies: false,
      center: [0, 20], zoom: 1, locale: { "Map.Title": translate("map.title") }, fadeDuration: 0,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.on("style.load", () => this.addImages());
    this.map.on("error", ({ error, sourceId }) => (sourceId === "base" ? failed() : console.error(error)));
    this.map.on("click", ({ point }) => this.click(point));
    this.map.on("mousemove", ({ point }) => this.point(point));
    this.map.on("mouseout", () => this.hover(null));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.drawn = false; this.map.setStyle(this.style(), { diff: false }); });
  }

  style() {
    return mapStyle(document.body.dataset, this);
  }

  addImages() {
    for (const name of this.symbols) if (!this.map.hasImage(name)) this.map.addImage(name, ...symbolImage(name));
    this.drawn = true;
    this.show(this.lifts, this.urgent);
  }

  /** Show these points. */
  show(lifts, urgent) {
    Object.assign(this, { lifts, urgent });
    if (!this.drawn) return;
    for (const [name, data] of Object.entries({ lifts, urgent })) this.map.getSource(name).setData(data);
    if (!this.fitted && lifts.features.length + urgent.features.length) this.fit();
  }

  /** Show all points, or the districts where there are none. */
  fit() {
    const points = [...this.lifts.features, ...this.urgent.features].map((point) => point.geometry.coordinates);
    const shown = points.length ? points : this.outlines.features.flatMap(({ geometry }) => geometry.coordinates.flat(geometry.type === "Polygon" ? 1 : 2));
    if (!shown.length) return;
    const bounds = shown.reduce(([[w, s], [e, n]], [lon, lat]) => [[Math.min(w, lon), Math.min(s, lat)], [Math.max(e, lon), Math.max(n, lat)]], [[180, 90], [-180, -90]]);
    this.map.fitBounds(bounds, { padding: { top: MARGIN_PX, bottom: MARGIN_PX, left: MARGIN_PX, right: BUTTONS_PX }, maxZoom: ONE_LIFT_ZOOM, animate: this.fitted });
    this.fitted = true;
  }

  zoom(by) {
    if (by === "all") this.fit();
    else this.map[by === "in" ? "zoomIn" : "zoomOut"]();
  }

  goTo(coordinates) {
    this.map.easeTo({ center: coordinates, zoom: Math.max(this.map.getZoom(), ONE_LIFT_ZOOM) });
  }

  /** Return the most urgent thing near a point of the screen: touch is not exact. */
  under({ x, y }) {
    const layers = LAYERS.filter((layer) => this.map.getLayer(layer));
    const found = this.map.queryRenderedFeatures([[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]], { layers });
    return found.sort((a, b) => a.properties.rank - b.properties.rank)[0] ?? null;
  }

  async click(point) {
    const found = this.under(point);
    if (!found) return;
    const { lift_id, cluster_id } = found.properties;
    if (lift_id) return this.openLifts(found);
    const source = this.map.getSource("lifts"), zoom = await source.getClusterExpansionZoom(cluster_id);
    if (zoom <= this.map.getMaxZoom() && zoom > this.map.getZoom()) this.map.easeTo({ center: found.geometry.coordinates, zoom });
    else this.openPlace((await source.getClusterLeaves(cluster_id, PLACE_LIFTS_MOST, 0)).map((leaf) => leaf.properties.lift_id));
  }

  /** Open a lift, or the list of those that stand at the same place. */
  openLifts({ properties: { lift_id } }) {
    const all = [...this.urgent.features, ...this.lifts.features], [lon, lat] = all.find((one) => one.properties.lift_id === lift_id).geometry.coordinates;
    const here = all.filter(({ geometry: { coordinates } }) => coordinates[0] === lon && coordinates[1] === lat).map((one) => one.properties.lift_id);
    if (here.length > 1) this.openPlace(here);
    else this.open(lift_id);
  }

  point(point) {
    const found = this.under(point);
    this.map.getCanvas().style.cursor = found ? "pointer" : "";
    this.hover(found?.properties.lift_id ?? null, found?.properties.point_count ?? 0);
  }
}
