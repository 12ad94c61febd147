namespace Dapr.Workflow;

/// <summary>Why a task or a run failed, as it was recorded.</summary>
public class WorkflowTaskFailureDetails
{
    public WorkflowTaskFailureDetails(string errorType, string errorMessage, string? stackTrace = null)
    {
        ArgumentNullException.ThrowIfNull(errorType);
        ArgumentNullException.ThrowIfNull(errorMessage);
        ErrorType = errorType;
        ErrorMessage = errorMessage;
        StackTrace = stackTrace;
    }

    /// <summary>The full name of the exception's type.</summary>
    public string ErrorType { get; }

    public string ErrorMessage { get; }

    public string? StackTrace { get; }

    /// <summary>Whether the recorded type is a <typeparamref name="T"/>; only types of the runtime itself are found.</summary>
    public bool IsCausedBy<T>()
        where T : Exception =>
        Type.GetType(ErrorType, throwOnError: false) is { } type && typeof(T).IsAssignableFrom(type);

    public override string ToString() => $"{ErrorType}: {ErrorMessage}";
}

/// <summary>An activity or child workflow that failed.</summary>
public class WorkflowTaskFailedException : Exception
{
    public WorkflowTaskFailedException(string message, WorkflowTaskFailureDetails failureDetails)
        : base(message)
    {
        ArgumentNullException.ThrowIfNull(failureDetails);
        FailureDetails = failureDetails;
    }

    public WorkflowTaskFailureDetails FailureDetails { get; }
}
