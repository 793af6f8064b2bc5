select a, -- one
b from t where c = 1
