namespace LocalPlus.Cli;

/// <summary>A process's output, bounded: at the limit the file becomes NAME.log.1 and a new one begins.</summary>
internal sealed class LogFile(string folder, string name) : IDisposable
{
    private const long MaxBytes = 8 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly string _path = PathOf(folder, name);
    private StreamWriter? _writer;
    private long _bytes;

    public static string PathOf(string folder, string name) => Path.Combine(folder, $"{name}.log");

    public void Write(string line)
    {
        lock (_lock)
        {
            if (_writer is null)
            {
                _bytes = File.Exists(_path) ? new FileInfo(_path).Length : 0;
                _writer = new StreamWriter(_path, append: true) { AutoFlush = true };
            }

            _writer.WriteLine(line);
            _bytes += line.Length + 1;
            if (_bytes > MaxBytes)
            {
                _writer.Dispose();
                _writer = null;
                File.Move(_path, $"{_path}.1", overwrite: true);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _writer?.Dispose();
            _writer = null;
        }
    }
}
