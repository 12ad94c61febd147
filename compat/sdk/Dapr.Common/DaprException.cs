namespace Dapr;

/// <summary>An operation that the sidecar refused or that did not reach it.</summary>
public class DaprException : Exception
{
    public DaprException(string message)
        : base(message)
    {
    }

    public DaprException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
