// The sound of a critical incident.

const TONES_HZ = [880, 660, 880], TONE_S = 0.22, GAP_S = 0.28;

/** Play the alarm once in an AudioContext. */
export function playAlarm(sound) {
  const begin = sound.currentTime;
  for (const [i, pitch] of TONES_HZ.entries()) {
    const tone = sound.createOscillator(), volume = sound.createGain(), at = begin + i * GAP_S;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + TONE_S);
    tone.connect(volume).connect(sound.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
  }
}
