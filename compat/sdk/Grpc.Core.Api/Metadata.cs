using System.Collections;
using System.Text;

namespace Grpc.Core;

/// <summary>
/// Headers or trailers of a call: an ordered list of lower-case keys, where a key may occur more than once.
/// Values of keys that end in <c>-bin</c> are bytes.
/// </summary>
public sealed class Metadata : IList<Metadata.Entry>
{
    public static readonly Metadata Empty = new(readOnly: true);

    public const string BinaryHeaderSuffix = "-bin";

    private readonly List<Entry> entries = [];

    public Metadata()
    {
    }

    private Metadata(bool readOnly) => IsReadOnly = readOnly;

    public int Count => entries.Count;

    public bool IsReadOnly { get; }

    public Entry this[int index]
    {
        get => entries[index];
        set => Writable()[index] = value;
    }

    /// <summary>The last entry with that key.</summary>
    public Entry? Get(string key) =>
        entries.FindLast(entry => string.Equals(entry.Key, key, StringComparison.OrdinalIgnoreCase));

    public string? GetValue(string key) => Get(key)?.Value;

    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    public IEnumerable<Entry> GetAll(string key) =>
        entries.Where(entry => string.Equals(entry.Key, key, StringComparison.OrdinalIgnoreCase));

    public void Add(string key, string value) => Add(new Entry(key, value));

    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    public void Add(Entry item) => Writable().Add(item);

    public int IndexOf(Entry item) => entries.IndexOf(item);

    public void Insert(int index, Entry item) => Writable().Insert(index, item);

    public void RemoveAt(int index) => Writable().RemoveAt(index);

    public void Clear() => Writable().Clear();

    public bool Contains(Entry item) => entries.Contains(item);

    public void CopyTo(Entry[] array, int arrayIndex) => entries.CopyTo(array, arrayIndex);

    public bool Remove(Entry item) => Writable().Remove(item);

    public IEnumerator<Entry> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => entries.GetEnumerator();

    private List<Entry> Writable() =>
        IsReadOnly ? throw new InvalidOperationException("Object is read only.") : entries;

    /// <summary>One key and its value.</summary>
    public class Entry
    {
        private readonly string? value;
        private readonly byte[]? valueBytes;

        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = Normalized(key);
            if (!IsBinary)
            {
                throw new ArgumentException("Key for a binary valued entry needs to have suffix \"-bin\".", nameof(key));
            }

            this.valueBytes = [.. valueBytes];
        }

        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = Normalized(key);
            if (IsBinary)
            {
                throw new ArgumentException("Key for an ASCII valued entry cannot have suffix \"-bin\".", nameof(key));
            }

            this.value = value;
        }

        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        public string Value =>
            value ?? throw new InvalidOperationException("Cannot access string value of a binary metadata entry");

        public byte[] ValueBytes => valueBytes is null ? Encoding.ASCII.GetBytes(Value) : [.. valueBytes];

        internal ReadOnlySpan<byte> BinaryValue => valueBytes;

        public override string ToString() =>
            IsBinary ? $"[Entry: key={Key}, valueBytes=[{valueBytes!.Length}]]" : $"[Entry: key={Key}, value={value}]";

        private static string Normalized(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            foreach (var letter in key)
            {
                if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '_' or '-'))
                {
                    throw new ArgumentException(
                        "Metadata entry key not valid. Keys can only contain lowercase alphanumeric characters, "
                        + "underscores, hyphens and dots.",
                        nameof(key));
                }
            }

            return key.ToLowerInvariant();
        }
    }
}
