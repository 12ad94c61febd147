namespace LocalPlus.Kernel;

/// <summary>The refusals every service shares, in order of precedence.</summary>
public static class CommonFaults
{
    public static readonly Fault Unauthenticated = new("unauthenticated", 401, "Credentials are missing or not valid");
    public static readonly Fault StepUpRequired = new("step_up_required", 401, "Sign in again to do this");
    public static readonly Fault ScopeMissing = new("scope_missing", 403, "The credentials do not allow this");
    public static readonly Fault NetworkNotAllowed = new(
        "network_not_allowed",
        403,
        "The API key may not be used from here"
    );
    public static readonly Fault MerchantNotActive = new("merchant_not_active", 403, "The merchant is not active yet");
    public static readonly Fault MerchantSuspended = new("merchant_suspended", 403, "The merchant is suspended");
    public static readonly Fault MerchantClosed = new("merchant_closed", 403, "The merchant is closed");
    public static readonly Fault QuotaExceeded = new("quota_exceeded", 429, "Too many requests", Retryable: true);
    public static readonly Fault Overloaded = new("overloaded", 503, "Too much is asked for", Retryable: true);
    public static readonly Fault UnsupportedMediaType = new(
        "unsupported_media_type",
        415,
        "The body's content type is not supported"
    );
    public static readonly Fault BodyTooLarge = new("body_too_large", 413, "The body is too large");
    public static readonly Fault InvalidRequest = new("invalid_request", 400, "The request is not valid");
    public static readonly Fault UnknownField = new("unknown_field", 400, "The body has a field that is not known");
    public static readonly Fault IdempotencyKeyMissing = new(
        "idempotency_key_missing",
        400,
        "The Idempotency-Key header is missing"
    );
    public static readonly Fault NotFound = new("not_found", 404, "There is no such thing");
    public static readonly Fault NoSuchObject = new("no_such_object", 404, "This service knows of no such object");
    public static readonly Fault MethodNotAllowed = new("method_not_allowed", 405, "The method is not allowed here");
    public static readonly Fault RequestInProgress = new(
        "request_in_progress",
        409,
        "The same request is being worked on",
        Retryable: true
    );
    public static readonly Fault IdempotencyKeyReused = new(
        "idempotency_key_reused",
        422,
        "The key was used with another request"
    );
    public static readonly Fault ReferenceReused = new("reference_reused", 422, "The reference was used before");
    public static readonly Fault IfMatchRequired = new("if_match_required", 428, "The If-Match header is missing");
    public static readonly Fault VersionConflict = new("version_conflict", 412, "The object has changed");
    public static readonly Fault DeadLetterCount = new(
        "dead_letter_count",
        422,
        "There is another number of dead letters"
    );
    public static readonly Fault TaskState = new("task_state", 409, "The task is over");
    public static readonly Fault FeatureOff = new("feature_off", 503, "This is switched off for now");
    public static readonly Fault InternalError = new("internal_error", 500, "Something is broken on our side");
    public static readonly Fault Busy = new("busy", 503, "Try again in a moment", Retryable: true);

    /// <summary>
    /// reference_reused, which names the object that has the reference: in the detail, and as <c>used_by</c> for
    /// programs.
    /// </summary>
    public static FaultException ReferenceReusedBy<TId>(TId holder)
        where TId : struct, IId<TId> =>
        new(ReferenceReused, $"{Ids.Format(holder)} has this reference.", new FieldError("/reference", "reused"))
        {
            Extensions = new Dictionary<string, object?> { ["used_by"] = Ids.Format(holder) },
        };
}
