/** @file A name that may break where its parts meet, so that long paths fit narrow columns. */

export function Name({ text }: { readonly text: string }) {
  const parts = text.split(/(?<=[._/])(?=[^._/])/);
  return (
    <>
      {parts.map((part, i) => (
        <span key={i}>
          {i === 0 ? null : <wbr />}
          {part}
        </span>
      ))}
    </>
  );
}
